import { expect, test } from "vitest";
import { customerOf, guestNumber } from "../../producer/customers.ts";
import { stores } from "./project-data.ts";

const day = (date: string): number => Date.parse(date) / 86_400_000;

test("a guest is a pure function of the number, with contact details that cannot exist", () => {
  const guest = customerOf(117, stores);
  expect(guest).toEqual(customerOf(117, stores));
  expect(guest.customer_id).toBe("c-000117");
  expect(guest.email).toMatch(/^[a-z]+\.[a-z]+\.117@example\.com$/);
  expect(guest.phone).toMatch(/^\+1-212-555-01\d\d$/);
  expect(guest).toMatchObject({ city: "New York", postal_code: expect.stringMatching(/^100\d\d$/) });
  expect(customerOf(117, stores, "another seed")).not.toEqual(guest);
});

test("a guest lives in the store's city, and does not depend on later stores", () => {
  const number = guestNumber(stores[4]!, 4, day("2015-06-01"), 0.5);
  expect(customerOf(number, stores).city).toBe("Detroit");
  expect(customerOf(number, stores.slice(0, 5))).toEqual(customerOf(number, stores));
});

test("the same draw at a store is another guest in later years", () => {
  const numbers = ["2015-01-01", "2018-01-01", "2026-01-01"].map((date) => guestNumber(stores[0]!, 0, day(date), 0.3));
  expect(new Set(numbers).size).toBe(3);
});

test("no two draws at a store share a guest", () => {
  const draws = Array.from({ length: 700 }, (_, place) => Math.sqrt((place + 0.5) / 700));
  const numbers = draws.map((draw) => guestNumber(stores[7]!, 7, day("2020-01-01"), draw));
  expect(new Set(numbers).size).toBe(700);
});
