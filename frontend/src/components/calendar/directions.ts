/** The directions of a sync in words. */
export const DIRECTIONS = {
  two_way: "Both ways",
  to_google: "Lessons to Google only",
  from_google: "From Google only",
} as const;
