/**
 * What each alarm says has happened, by its name: the same words in CloudWatch, in a local alert and in `./pizza
 * status`. What to do differs by target, because the commands do.
 */
export const happened = {
  Behind: "Landing is behind the stream.",
  BatchGivenUp: "A batch of records could not be landed and was sent to the on-failure bucket, with its data.",
  NothingPublished: "Silver accepts orders but no day is published.",
  Freshness: "Gold is too far behind the tills.",
  Receipt: "The receipt does not balance: an order is missing or counted twice.",
  Quality: "The daily run of data_quality found red rules of severity error.",
  SetAside: "Refining set a bronze object aside, because no run got through it; its orders are not in silver.",
  Run: (workflow: string, how: string) => `A run of ${workflow} ${how}.`,
} as const;
