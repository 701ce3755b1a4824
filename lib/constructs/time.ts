import { Duration } from "aws-cdk-lib";

export const days = (count: number): Duration => Duration.days(count);
export const minutes = (count: number): Duration => Duration.minutes(count);
export const seconds = (count: number): Duration => Duration.seconds(count);
