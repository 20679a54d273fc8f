export { deletionReceiptRoute as GET } from "aftercommit/next";
