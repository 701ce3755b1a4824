import { RemovalPolicy, Size, type Duration } from "aws-cdk-lib";
import { ManagedPolicy, PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Architecture, Code, Function, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { allow, type Permission } from "../access.ts";
import type { Environment } from "../config.ts";
import type { FunctionName } from "../function-entries.ts";

/** Returns a function's bundle folder and handler string. */
export type CodeSource = (name: FunctionName) => { path: string; handler: string };

export interface FunctionSettings {
  description: string;
  memoryMegabytes: number;
  timeout: Duration;
  access?: Permission[];
  variables?: Record<string, string>;
  /** Maximum concurrent executions, if the environment reserves concurrency. */
  reservedConcurrency?: number;
  /** Ephemeral storage for files below /tmp. */
  diskMegabytes?: number;
}

/** Creates the pipeline's functions uniformly: each has its own role and log group and only the access given to it. */
export class FunctionFactory {
  /** All functions created so far, by name. */
  readonly made = new Map<string, Function>();
  private readonly environment: Environment;
  private readonly key: IKey;
  private readonly code: CodeSource;
  private readonly tracing: ManagedPolicy;

  constructor(scope: Construct, { environment, key, code }: { environment: Environment; key: IKey; code: CodeSource }) {
    this.environment = environment;
    this.key = key;
    this.code = code;
    this.tracing = new ManagedPolicy(scope, "Tracing", {
      description: "Sends traces to X-Ray",
      statements: [allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])],
    });
  }

  /** Creates the function behind a state machine's placeholder of the same name. */
  create(scope: Construct, name: FunctionName, settings: FunctionSettings): Function {
    const { environment } = this;
    const {
      description,
      memoryMegabytes,
      timeout,
      access = [],
      variables,
      reservedConcurrency,
      diskMegabytes,
    } = settings;
    const { path, handler } = this.code(name);
    const logGroup = this.addLogGroup(scope, name);
    const fn = new Function(scope, name, {
      description,
      runtime: Runtime.NODEJS_24_X,
      architecture: environment.architecture === "arm64" ? Architecture.ARM_64 : Architecture.X86_64,
      code: Code.fromAsset(path),
      handler,
      memorySize: memoryMegabytes,
      timeout,
      role: this.addRole(scope, name, logGroup, access),
      logGroup,
      tracing: Tracing.ACTIVE,
      environment: { ...this.shared(), ...Object.assign({}, ...access.map((each) => each.variables)), ...variables },
      ...(diskMegabytes === undefined ? {} : { ephemeralStorageSize: Size.mebibytes(diskMegabytes) }),
      ...(reservedConcurrency !== undefined && environment.reservesConcurrency
        ? { reservedConcurrentExecutions: reservedConcurrency }
        : {}),
    });
    this.made.set(name, fn);
    return fn;
  }

  private addLogGroup(scope: Construct, name: string): LogGroup {
    return new LogGroup(scope, `${name}Log`, {
      encryptionKey: this.key,
      retention: this.environment.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  /** An inline policy is part of the role, so the function never exists without its permissions. */
  private addRole(
    scope: Construct,
    name: string,
    logGroup: LogGroup,
    access: Permission[],
  ): ReturnType<Role["withoutPolicyUpdates"]> {
    const statements = [
      allow(["logs:CreateLogStream", "logs:PutLogEvents"], [logGroup.logGroupArn]),
      ...access.flatMap((each) => each.statements),
    ];
    const role = new Role(scope, `${name}Role`, {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `What ${name} may do`,
      inlinePolicies: { [name]: new PolicyDocument({ statements, minimize: true }) },
      managedPolicies: [this.tracing],
    });
    return role.withoutPolicyUpdates();
  }

  private shared(): Record<string, string> {
    return {
      ENVIRONMENT: this.environment.name,
      POWERTOOLS_SERVICE_NAME: "pizza-sales",
      POWERTOOLS_METRICS_NAMESPACE: "PizzaSales",
    };
  }
}
