import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { CalendarSyncStatus } from "../components/calendar/CalendarSyncStatus";
import { connected, show } from "../components/calendar/testing";
import { languageOf, LanguageProvider } from "./language";

describe("the language of the page", () => {
  it("is the first of the viewer's that it speaks", async () => {
    const tagOf = async (...tags: string[]) => (await languageOf(tags)).tag;
    expect(await tagOf("fr", "de-AT", "en")).toBe("de-AT");
    expect(await tagOf("en-GB")).toBe("en-GB");
    expect(await tagOf("fr")).toBe("en-US");
    expect(await tagOf()).toBe("en-US");
    expect(await tagOf("de_DE")).toBe("en-US");
  });

  it("says all of it in German, what the API says by a code too", async () => {
    const status = { ...connected, state: "failing", reason: "google_unavailable" } as const;
    show(
      <LanguageProvider value={await languageOf(["de-DE"])}>
        <CalendarSyncStatus />
      </LanguageProvider>,
      status,
    );
    expect(screen.getByText("Die Synchronisation stockt")).toBeTruthy();
    expect(screen.getByText(/Google antwortet gerade nicht/)).toBeTruthy();
    expect(screen.getByRole("button", { name: "Jetzt synchronisieren" })).toBeTruthy();
  });
});
