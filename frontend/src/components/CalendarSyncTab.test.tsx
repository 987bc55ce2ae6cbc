import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";

import { LoginContext } from "../login/useLogin";
import { LanguageProvider } from "../words/language";
import { CalendarConnectButton } from "./calendar/CalendarConnectButton";
import { CalendarSyncStatus } from "./calendar/CalendarSyncStatus";
import { answers, asked, connected, ME, notConnected, show } from "./calendar/testing";
import { CalendarSyncTab } from "./CalendarSyncTab";
import { Scope } from "./Scope";

const STATUS = `/api/v1/calendar/status/${ME}`;
const skeletons = () => document.querySelectorAll(".skeleton").length;
const titles = () => screen.getAllByRole("heading").map(({ textContent }) => textContent);

// (The calendar itself measures, which jsdom cannot.)
vi.mock("./calendar/EventsCalendar", () => ({ default: () => "the calendar" }));

describe("the tab, while the first answer is awaited", () => {
  it("keeps the place of all that a connection has, under its titles, and says that it is busy", async () => {
    const fetched = vi.fn<() => Promise<Response>>(() => new Promise((resolve) => (answer = resolve)));
    let answer: (response: Response) => void = () => undefined;
    vi.stubGlobal("fetch", fetched);
    const { container } = show(<CalendarSyncTab lessons={[]} />);
    const expected = ["Calendar", "Google Calendar", "Conflicts", "Settings"];
    expect(titles()).toEqual(expected);
    expect(skeletons()).toBe(4);
    expect(container.querySelector("[aria-busy=true]")).toBeTruthy();
    await waitFor(() => expect(fetched).toHaveBeenCalled());
    answer(Response.json({ success: true, data: connected }));
    await screen.findByText("the calendar");
    expect(titles()).toEqual(expected);
    expect(skeletons()).toBe(0);
    expect(container.querySelector("[aria-busy=true]")).toBeNull();
  });

  it("asks for it beside the language, and not after it", async () => {
    show(
      <LanguageProvider value={null}>
        <CalendarSyncTab lessons={[]} />
      </LanguageProvider>,
    );
    await waitFor(() => expect(asked).toEqual([["GET", STATUS, undefined]]));
    expect(titles).toThrow();
  });

  it("waits for nothing where there is no answer, and says so", async () => {
    answers[STATUS] = [503, { code: "store_unavailable", message: "Try again." }];
    show(<CalendarSyncTab lessons={[]} />);
    await screen.findByText("Try again.");
    expect(skeletons()).toBe(0);
  });
});

describe("the connection in the tab", () => {
  it("offers to connect again where Google wants its permission again", () => {
    show(<CalendarSyncTab lessons={[]} />, { ...connected, state: "needs_reauth", reason: "invalid_grant" });
    expect(screen.getByRole("button", { name: "Connect again" })).toBeTruthy();
  });

  it("says before it is made what it does, and what it does not", () => {
    show(<CalendarSyncTab lessons={[]} />, notConnected);
    expect(screen.getByText(/never cancelled or moved/)).toBeTruthy();
  });

  it.each([
    [connected, true],
    [{ ...connected, state: "failing" }, false],
    [{ ...connected, state: "needs_reauth" }, false],
    [{ ...connected, counts: { ...connected.counts, lessonsFailed: 1 } }, false],
  ] as const)("is good news only where nothing has failed since", (status, isNews) => {
    show(
      <LoginContext value={{ kind: "connected" }}>
        <CalendarSyncTab lessons={[]} />
      </LoginContext>,
      status,
    );
    expect(screen.queryByText("The calendar is connected.") !== null).toBe(isNews);
  });
});

describe("a sign-in that cannot be reached", () => {
  it("leaves what is known where it is, and the session as it was", async () => {
    const { queries } = show(<CalendarSyncStatus />, connected, () =>
      Promise.reject(new TypeError("network")),
    );
    await queries.refetchQueries();
    expect((await screen.findByRole("alert")).textContent).toMatch(/does not answer/);
    expect(screen.queryByText(/session has ended/)).toBeNull();
    expect(screen.getByText("Up to date")).toBeTruthy();
  });
});

describe("a browser that is offline", () => {
  const turn = (on: boolean) => {
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(on);
    fireEvent(window, new Event(on ? "online" : "offline"));
  };

  it("is told so, keeps what is known with the time of it, and all is as before once it is back", () => {
    show(<CalendarSyncStatus />, connected);
    expect(screen.getByText("Up to date")).toBeTruthy();
    turn(false);
    expect(screen.getByRole("alert").textContent).toMatch(/^You are offlineWhat you see is as of \w{3}, /);
    expect(screen.getByRole("button", { name: "Sync now" })).toBeTruthy();
    turn(true);
    expect(screen.getByText("Up to date")).toBeTruthy();
    expect(screen.queryByText("You are offline")).toBeNull();
  });

  it("is told so once, and not by each request that fails", async () => {
    turn(false);
    const fetched = vi.fn(() => Promise.reject(new TypeError("fetch failed")));
    vi.stubGlobal("fetch", fetched);
    show(<CalendarSyncTab lessons={[]} />);
    await waitFor(() => expect(fetched).toHaveBeenCalled());
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(screen.getAllByRole("alert")).toHaveLength(1);
  });
});

describe("the focus", () => {
  function Vanishing() {
    const [there, setThere] = useState(true);
    return (
      <Scope>
        <section aria-label="around">
          {there && (
            <button type="button" onClick={() => setThere(false)}>
              Disconnect
            </button>
          )}
        </section>
      </Scope>
    );
  }

  it("goes to the section around, where what had it goes", async () => {
    show(<Vanishing />);
    await userEvent.click(screen.getByRole("button"));
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("region")));
  });

  it("stays where the person took it, whatever goes meanwhile", async () => {
    show(<Vanishing />);
    const button = screen.getByRole("button");
    button.focus();
    button.blur();
    await Promise.resolve();
    fireEvent.click(button);
    await new Promise((resolve) => setTimeout(resolve));
    expect(document.activeElement).toBe(document.body);
  });

  it("stays on a button whose action is under way", async () => {
    vi.stubGlobal("fetch", () => new Promise<Response>(() => undefined));
    show(<CalendarConnectButton />, notConnected);
    const button = screen.getByRole("button");
    await userEvent.click(button);
    await waitFor(() => expect(button.getAttribute("aria-disabled")).toBe("true"));
    expect(document.activeElement).toBe(button);
  });
});

describe("a double click", () => {
  const twice = (button: HTMLElement) => {
    fireEvent.click(button);
    fireEvent.click(button);
  };
  const sent = (path: string) => asked.filter(([, asking]) => asking.startsWith(`/api/v1/calendar/${path}`));

  it("begins one login", async () => {
    answers["/api/v1/calendar/oauth/url"] = [503, { code: "kms_unavailable", message: "Try again." }];
    show(<CalendarConnectButton />, notConnected);
    twice(screen.getByRole("button"));
    await screen.findByText("Try again.");
    expect(sent("oauth/url")).toHaveLength(1);
  });

  it("syncs once", async () => {
    answers["/api/v1/calendar/sync"] = [200, { outcome: "running" }];
    show(<CalendarSyncStatus />, connected);
    twice(screen.getByRole("button", { name: "Sync now" }));
    await screen.findByText(/goes on in the background/);
    expect(sent("sync")).toHaveLength(1);
  });
});
