import { screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";

import { show } from "./calendar/testing";
import { Fallible } from "./Fallible";

it("says what went wrong in the place of what could not be loaded, and leaves the rest where it is", () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const Unloaded = () => {
    throw new Error("The calendar cannot be loaded.");
  };
  show(
    <>
      <p>Settings</p>
      <Fallible>
        <Unloaded />
      </Fallible>
    </>,
  );
  expect(screen.getByRole("alert").textContent).toBe("The calendar cannot be loaded.");
  expect(screen.getByText("Settings")).toBeTruthy();
});
