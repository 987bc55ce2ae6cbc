import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import { CalendarSettings } from "./CalendarSettings";
import { answers, asked, connected, ME, show } from "./testing";

describe("CalendarSettings", () => {
  it("changes one switch and leaves the others alone", async () => {
    show(<CalendarSettings settings={connected.settings} />);
    await userEvent.selectOptions(screen.getByRole("combobox", { name: /Direction/ }), "to_google");
    await waitFor(() =>
      expect(asked).toEqual([
        ["PATCH", "/api/v1/calendar/settings", { instructorId: ME, syncDirection: "to_google" }],
      ]),
    );
  });

  it("shows a switch as turned at once, and both of two that are turned in a row", async () => {
    show(<CalendarSettings settings={connected.settings} />);
    const switchOf = (name: string) => screen.getByRole<HTMLInputElement>("checkbox", { name });
    fireEvent.click(switchOf("Sync is on"));
    expect(switchOf("Sync is on").checked).toBe(false);
    fireEvent.click(switchOf("Sync automatically"));
    expect([switchOf("Sync is on").checked, switchOf("Sync automatically").checked]).toEqual([false, false]);
    await waitFor(() =>
      expect(asked.map(([, , body]) => body)).toEqual([
        { instructorId: ME, syncEnabled: false },
        { instructorId: ME, autoSync: false },
      ]),
    );
  });

  it("turns a switch back only after it was turned, for the later turn must stand", async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const bodies: unknown[] = [];
    vi.stubGlobal("fetch", async (request: Request) => {
      bodies.push(await request.json());
      await answered;
      return Response.json({ success: true, data: {} });
    });
    show(<CalendarSettings settings={connected.settings} />);
    const isOn = screen.getByRole<HTMLInputElement>("checkbox", { name: "Sync is on" });
    fireEvent.click(isOn);
    fireEvent.click(isOn);
    expect(isOn.checked).toBe(true);
    const [off, on] = [false, true].map((syncEnabled) => ({ instructorId: ME, syncEnabled }));
    await waitFor(() => expect(bodies).toEqual([off]));
    answer();
    await waitFor(() => expect(bodies).toEqual([off, on]));
  });

  it("shows a switch as it was when turning it failed", async () => {
    answers["/api/v1/calendar/settings"] = [503, { code: "store_unavailable", message: "Try again." }];
    show(<CalendarSettings settings={connected.settings} />);
    fireEvent.click(screen.getByRole("checkbox", { name: "Sync is on" }));
    expect((await screen.findByRole("alert")).textContent).toBe("Try again.");
    await waitFor(() =>
      expect(screen.getByRole<HTMLInputElement>("checkbox", { name: "Sync is on" }).checked).toBe(true),
    );
  });

  it("shares titles of events with administrators only where the instructor says so", async () => {
    show(<CalendarSettings settings={connected.settings} />);
    const shares = screen.getByRole<HTMLInputElement>("checkbox", { name: /Administrators see the titles/ });
    expect(shares.checked).toBe(false);
    fireEvent.click(shares);
    await waitFor(() =>
      expect(asked.map(([, , body]) => body)).toEqual([{ instructorId: ME, shareTitles: true }]),
    );
  });

  it("shows an interval that no one of its own is", () => {
    show(<CalendarSettings settings={{ ...connected.settings, syncIntervalMinutes: 17 }} />);
    expect(screen.getByRole<HTMLSelectElement>("combobox", { name: /check every/ }).value).toBe("17");
  });
});
