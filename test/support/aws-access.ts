/** What every SDK client of the tests is made with: any region, credentials that nobody checks. */
export const testAccess = {
  region: "eu-central-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
};
