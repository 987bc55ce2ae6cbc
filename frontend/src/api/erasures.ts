/** Erasing all that is kept of an instructor or of the tenant, which administrators may. */
import { type Api, dataOf } from "./client";
import type { paths } from "./schema";

type Request = NonNullable<
  paths["/api/v1/calendar/erase"]["post"]["requestBody"]
>["content"]["application/json"];

/** Begins an erasure, or has the one go on that is under way. */
export const erase = (api: Api, body: Request) => dataOf(api.POST("/api/v1/calendar/erase", { body }));

/** How an erasure stands: of an instructor, or of the `tenant`. */
export const readErasure = (api: Api, id: string) =>
  dataOf(api.GET("/api/v1/calendar/erase/{id}", { params: { path: { id } } }));
