/** The settings of every SDK client in the tests: any region, and credentials that are not checked. */
export const testAccess = {
  region: "eu-central-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
};
