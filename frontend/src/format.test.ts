import { describe, expect, it } from "vitest";

import { english } from "./words/language";

describe("times", () => {
  it("say how long ago, to the largest unit", () => {
    const now = Date.parse("2026-03-02T12:00:00Z");
    expect(english.format.ago("2026-03-02T11:59:30Z", now)).toBe("just now");
    expect(english.format.ago("2026-03-02T11:58:00Z", now)).toBe("2 minutes ago");
    expect(english.format.ago("2026-03-01T11:00:00Z", now)).toBe("yesterday");
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
