/** Nothing is ever deployed to anything but an emulator on this machine. */
export function checkLoopback(endpoint: string): void {
  const { hostname } = new URL(endpoint);
  if (hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname)) return;
  throw new Error(
    `AWS_ENDPOINT_URL ${endpoint} is not on this machine: set it to http://127.0.0.1:4566, or deploy with cdk`,
  );
}
