import { describe, expect, it } from "vitest";

import { en } from "../words/en";
import { forgetLoginOutcome, readLoginOutcome, refusalOf } from "./outcome";

const comingBackTo = (address: string) => {
  window.history.replaceState(null, "", address);
  return readLoginOutcome();
};

describe("a browser that comes back from Google", () => {
  it.each([
    ["/?calendar=connected", { kind: "connected" }],
    ["/?calendar=error&code=consent_denied", { kind: "error", code: "consent_denied" }],
    ["/?calendar=finish#state=s&code=4/c", { kind: "finish", state: "s", code: "4/c" }],
    ["/?calendar=finish#state=s", { kind: "error", code: "unknown" }],
    ["/?other=1", null],
    ["/", null],
  ])("brings along what %s says", (address, outcome) => {
    expect(comingBackTo(address)).toEqual(outcome);
  });

  it("has it taken out of its address, so that neither a reload nor the history tells a code again", () => {
    comingBackTo("/page?calendar=finish#state=s&code=c");
    forgetLoginOutcome();
    expect(window.location.href).toMatch(/\/page$/);
    comingBackTo("/page?tab=calendar&calendar=connected");
    forgetLoginOutcome();
    expect(window.location.href).toMatch(/\/page\?tab=calendar$/);
  });

  it("is told in words why it was refused, whatever the code", () => {
    expect(refusalOf("permission_missing", en)).toContain("unticked");
    expect(refusalOf("code_refused", en)).toContain("code_refused");
  });
});
