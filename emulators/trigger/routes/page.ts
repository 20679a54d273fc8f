import { z } from "zod";

export const Page = z.object({
  page: z.coerce.number().int().min(1).default(1),
  perPage: z.coerce.number().int().min(1).max(100).default(25),
});

/** One numbered page of a list. */
export function pageOf<T>(rows: T[], { page, perPage }: z.output<typeof Page>) {
  return {
    data: rows.slice((page - 1) * perPage, page * perPage),
    pagination: { currentPage: page, totalPages: Math.ceil(rows.length / perPage), count: rows.length },
  };
}
