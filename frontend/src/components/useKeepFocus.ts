import { type RefObject, useEffect } from "react";

/** What was acted on may go with what it did: the focus then goes to the section around it, and not to the page's start. */
export function useKeepFocus(root: RefObject<HTMLElement | null>) {
  useEffect(() => {
    const element = root.current;
    if (element === null) return;
    /** What has the focus, and what is around it. */
    let path: HTMLElement[] = [];
    const isLost = ([focused]: HTMLElement[]) =>
      focused !== undefined &&
      document.activeElement === document.body &&
      (!focused.isConnected || focused.matches(":disabled"));
    const remember = ({ target }: FocusEvent) => {
      path = [];
      for (
        let at = target as HTMLElement | null;
        at !== null && path.at(-1) !== element;
        at = at.parentElement
      )
        path.push(at);
    };
    const forget = () =>
      queueMicrotask(() => {
        if (document.activeElement === document.body && !isLost(path)) path = [];
      });
    const observer = new MutationObserver(() => {
      if (!isLost(path)) return;
      const around = path.find((at) => at.isConnected && (at === element || at.matches("section")));
      around?.setAttribute("tabindex", "-1");
      around?.focus({ preventScroll: true });
    });
    observer.observe(element, { childList: true, subtree: true, attributeFilter: ["disabled"] });
    element.addEventListener("focusin", remember);
    element.addEventListener("focusout", forget);
    return () => {
      observer.disconnect();
      element.removeEventListener("focusin", remember);
      element.removeEventListener("focusout", forget);
    };
  }, [root]);
}
