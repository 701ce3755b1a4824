/** Which part of the day an hour on the store's clock belongs to: lunch from 5 to 15, afternoon to 17, dinner to 21, then late. */
export function daypartOf(hour: number): "lunch" | "afternoon" | "dinner" | "late" {
  if (hour < 5) return "late";
  if (hour < 15) return "lunch";
  if (hour < 17) return "afternoon";
  return hour < 21 ? "dinner" : "late";
}
