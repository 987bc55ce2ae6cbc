import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { CalendarSyncStatus } from "../components/calendar/CalendarSyncStatus";
import { connected, show } from "../components/calendar/testing";
import { languageOf, LanguageProvider } from "./language";

describe("the language of the page", () => {
  it("is the first of the viewer's that it speaks", () => {
    const tagOf = (...tags: string[]) => languageOf(tags).tag;
    expect([tagOf("fr", "de-AT", "en"), tagOf("en-GB"), tagOf("fr"), tagOf()]).toEqual([
      "de-AT",
      "en-GB",
      "en",
      "en",
    ]);
  });

  it("says all of it in German, what the API says by a code too", () => {
    const status = { ...connected, state: "failing", reason: "google_unavailable" } as const;
    show(
      <LanguageProvider value={languageOf(["de-DE"])}>
        <CalendarSyncStatus status={status} />
      </LanguageProvider>,
    );
    expect(screen.getByText("Die Synchronisation stockt")).toBeTruthy();
    expect(screen.getByText(/Google antwortet gerade nicht/)).toBeTruthy();
    expect(screen.getByRole("button", { name: "Jetzt synchronisieren" })).toBeTruthy();
  });
});
