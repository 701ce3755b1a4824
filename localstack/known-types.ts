/** Resource types that LocalStack 4.14 was seen to make as CloudFormation does; it passes over any other in silence. */
export const knownTypes: readonly string[] = [
  "AWS::Events::Rule",
  "AWS::IAM::ManagedPolicy",
  "AWS::IAM::Role",
  "AWS::KMS::Key",
  "AWS::Kinesis::Stream",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Lambda::EventSourceMapping",
  "AWS::Lambda::Function",
  "AWS::Lambda::Permission",
  "AWS::Lambda::Version",
  "AWS::Logs::LogGroup",
  "AWS::S3::Bucket",
  "AWS::S3::BucketPolicy",
  "AWS::SNS::Topic",
  "AWS::SNS::TopicPolicy",
  "AWS::SQS::Queue",
  "AWS::SQS::QueuePolicy",
  "AWS::Scheduler::Schedule",
  "AWS::SecretsManager::Secret",
  "AWS::StepFunctions::StateMachine",
];

/** CDK's own helpers, which only LocalStack's paid editions run: the deployment does without them. */
export const passedOver: readonly string[] = [
  // Empties a bucket before it is deleted; a stop of LocalStack does that.
  "Custom::S3AutoDeleteObjects",
  // Migrates the warehouse; `deploy` calls the function itself.
  "Custom::Trigger",
];

/** The types of a template that LocalStack would leave out without a word. */
export function unknownTypes(template: { Resources?: Record<string, { Type: string }> }): string[] {
  const types = new Set(Object.values(template.Resources ?? {}).map(({ Type }) => Type));
  return [...types].filter((type) => !knownTypes.includes(type) && !passedOver.includes(type)).toSorted();
}
