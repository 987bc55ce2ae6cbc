import { describe, expect, it } from "vitest";

import { english } from "./words/language";

describe("times", () => {
  it("say how long ago, to the largest unit", () => {
    const now = Date.parse("2026-03-02T12:00:00Z");
    expect(english.format.ago("2026-03-02T11:59:30Z", now)).toBe("just now");
    expect(english.format.ago("2026-03-02T11:58:00Z", now)).toBe("2 minutes ago");
    expect(english.format.ago("2026-03-01T11:00:00Z", now)).toBe("yesterday");
  });

  it("say their zone where it is not the viewer's own, at that time of the year", () => {
    const { moment, span, clock } = english.format;
    const [winter, summer] = ["2026-03-02T08:00:00Z", "2026-07-02T08:00:00Z"];
    const said = [
      [moment(winter), "Mon, Mar 2, 08:00 AM"],
      [moment(winter, "UTC"), "Mon, Mar 2, 08:00 AM"],
      [moment(winter, "Europe/Berlin"), "Mon, Mar 2, 09:00 AM GMT+1"],
      [moment(summer, "Europe/Berlin"), "Thu, Jul 2, 10:00 AM GMT+2"],
      [span(winter, "2026-03-02T09:00:00Z"), "Mon, Mar 2, 8:00 – 9:00 AM"],
      [span(winter, "2026-03-02T09:00:00Z", "Europe/Berlin"), "Mon, Mar 2, 9:00 – 10:00 AM GMT+1"],
      [clock("2026-03-02 09:30"), "Mon, Mar 2, 09:30 AM"],
      [clock("2026-03-29 01:30", "Europe/Berlin"), "Sun, Mar 29, 01:30 AM GMT+1"],
      [clock("2026-03-29 03:30", "Europe/Berlin"), "Sun, Mar 29, 03:30 AM GMT+2"],
      [clock("2026-07-02 23:30", "America/St_Johns"), "Thu, Jul 2, 11:30 PM GMT-2:30"],
    ] as const;
    for (const [is, be] of said) expect(is.replaceAll(/[\u2009\u202f]/g, " ")).toBe(be);
  });

  it("say how long, in hours and minutes", () => {
    const until = (to: string) => english.format.duration("2026-03-02T08:00:00Z", to);
    expect(["2026-03-02T08:30:00Z", "2026-03-02T09:00:00Z", "2026-03-02T09:15:00Z"].map(until)).toEqual([
      "30 min",
      "1 hr",
      "1 hr 15 min",
    ]);
  });
});
