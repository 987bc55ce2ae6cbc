/** What a person did, in words. */
import type { Act, Person, Viewer } from "../../api/calendar";
import type { Who, Words } from "../../words/en";

/** The name of a person by the subject of their token, if it is known. */
export type PersonName = (subject: string) => string | undefined;

/** How a viewer calls a person. */
export function called(person: Person, viewer: Viewer, personName: PersonName | undefined): Who {
  if (person.role === "instructor" && viewer === "instructor") return "you";
  const name = personName?.(person.subject);
  return name === undefined ? person.role : { name };
}

export function sentence(act: Act, who: Who, { activity, settings }: Words): string {
  const { acts } = activity;
  switch (act.code) {
    case "disconnected":
      return acts.disconnected(who, act);
    case "setting_changed":
      switch (act.setting) {
        case "syncDirection":
          return acts.syncDirection(who, settings.directions[act.to]);
        case "syncIntervalMinutes":
          return acts.syncIntervalMinutes(who, settings.every(act.to));
        default:
          return acts[act.setting](who, act.to);
      }
    default:
      return acts[act.code](who);
  }
}
