/** The language of the page: its sentences, and how it writes times. */
import { createContext, useContext } from "react";

import { type Formats, formats } from "../format";
import { de } from "./de";
import { en, type Words } from "./en";

export interface Language {
  /** A BCP 47 tag, as the viewer's browser names it. */
  tag: string;
  words: Words;
  format: Formats;
}

const CATALOGUES: Record<string, Words> = { en, de };

/** The first of the viewer's languages that the page speaks, else English. */
export function languageOf(tags: readonly string[]): Language {
  const tag = tags.find((tag) => tag.slice(0, 2) in CATALOGUES) ?? "en";
  const words = CATALOGUES[tag.slice(0, 2)] ?? en;
  return { tag, words, format: formats(tag, words.justNow) };
}

const LanguageContext = createContext<Language>(languageOf(["en-US"]));
export const LanguageProvider = LanguageContext.Provider;
export const useLanguage = (): Language => useContext(LanguageContext);
