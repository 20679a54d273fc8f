/** True in `npm run test:kills`, which tries everything, while `npm test` tries some of it once or a few times. */
export const isLong = process.env.TEST_LONG === "1";
