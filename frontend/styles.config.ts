/** How the package's styles are built, for the package and for the demo page alike. */
import type { CSSOptions } from "vite";

export const css: CSSOptions = {
  postcss: {
    plugins: [
      {
        // FullCalendar's rules move below the package's root, so that none of them holds for the host's page.
        postcssPlugin: "scope-fullcalendar",
        Once(sheet) {
          sheet.walkRules((rule) => {
            if (!rule.source?.input.file?.includes("@fullcalendar")) return;
            rule.selectors = rule.selectors.map((selector) =>
              selector === ":root" ? ".calendar-sync" : `.calendar-sync.calendar-sync ${selector}`,
            );
          });
        },
      },
    ],
  },
};
