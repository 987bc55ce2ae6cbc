import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import { CalendarConnectButton } from "./CalendarConnectButton";
import { ConnectionBanner } from "./ConnectionBanner";
import { ConnectionMenu } from "./ConnectionMenu";
import { answers, asked, connected, ME, notConnected, press, show } from "./testing";

describe("CalendarConnectButton", () => {
  it("offers to connect where nothing is connected, and only that", async () => {
    answers["/api/v1/calendar/oauth/url"] = [
      404,
      { code: "not_found", message: "There is no such instructor." },
    ];
    show(<CalendarConnectButton />, notConnected);
    expect(screen.getAllByRole("button")).toHaveLength(1);
    await press("Connect Google Calendar");
    await waitFor(() =>
      expect(asked[0]).toEqual([
        "GET",
        `/api/v1/calendar/oauth/url?instructorId=${ME}&replaceAccount=false&returnPath=%2F`,
        undefined,
      ]),
    );
    expect((await screen.findByRole("alert")).textContent).toBe("There is no such instructor.");
  });

  it("offers to connect again after Google withdrew its permission", () => {
    show(<CalendarConnectButton />, { ...connected, state: "needs_reauth" });
    expect(screen.getByRole("button", { name: "Connect again" })).toBeTruthy();
  });

  it("offers nothing where all is connected", () => {
    show(<CalendarConnectButton />, connected);
    expect(screen.queryByRole("button")).toBeNull();
  });
});

describe("ConnectionMenu", () => {
  it("lets a connection be ended of which Google wants its permission again", () => {
    show(<ConnectionMenu connection={{ ...connected, state: "needs_reauth" }} />);
    expect(screen.getAllByRole("button", { name: "Disconnect", hidden: true })).toHaveLength(2);
  });

  it("says outside of the menu that a disconnect failed", async () => {
    answers["/api/v1/calendar/disconnect"] = [503, { code: "store_unavailable", message: "Try again." }];
    show(<ConnectionMenu connection={connected} />);
    await press("Disconnect");
    await press("Disconnect", 1);
    const problem = await screen.findByRole("alert");
    expect(problem.textContent).toBe("Try again.");
    expect(problem.closest("[popover]")).toBeNull();
  });

  it("disconnects only when asked twice, and keeps what is to be kept", async () => {
    show(<ConnectionMenu connection={connected} />);
    await press("Disconnect");
    expect(asked).toEqual([]);
    await userEvent.click(screen.getByRole("checkbox", { name: /Keep the lessons' events/, hidden: true }));
    await press("Disconnect", 1);
    const body = { instructorId: ME, keepEvents: true, keepImported: false };
    await waitFor(() => expect(asked).toEqual([["POST", "/api/v1/calendar/disconnect", body]]));
  });

  it("lets another account take the place of this one, when that is confirmed", async () => {
    answers["/api/v1/calendar/oauth/url"] = [503, { code: "kms_unavailable", message: "Try again." }];
    show(<ConnectionMenu connection={connected} />);
    await press("Use another account");
    expect(asked).toEqual([]);
    await press("Use another account", 1);
    const url = `/api/v1/calendar/oauth/url?instructorId=${ME}&replaceAccount=true&returnPath=%2F`;
    await waitFor(() => expect(asked).toEqual([["GET", url, undefined]]));
  });
});

describe("ConnectionBanner", () => {
  it("offers the one thing to do where Google wants its permission again, and is silent else", async () => {
    const path = `/api/v1/calendar/status/${ME}`;
    answers[path] = [200, connected];
    const { unmount } = show(<ConnectionBanner />);
    await waitFor(() => expect(asked).toHaveLength(1));
    expect(screen.queryByRole("alert")).toBeNull();
    unmount();
    answers[path] = [200, { ...connected, state: "needs_reauth" }];
    answers["/api/v1/calendar/oauth/url"] = [503, { code: "kms_unavailable", message: "Try again." }];
    show(<ConnectionBanner />);
    await screen.findByText(/Google needs your permission again/);
    await press("Connect again");
    expect(await screen.findByText("Try again.")).toBeTruthy();
  });
});
