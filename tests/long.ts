/** True in `npm run test:kills`, which tries all that `npm test` tries a few times or once of. */
export const isLong = process.env.TEST_LONG === "1";
