import type { RemovalPolicy } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Secret, type ISecret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";

/** The project's secrets. */
export class SecretVault extends Construct {
  /** Login of `pizza_reader`, for BI tools, the command line and the receipt. */
  readonly reader: ISecret;
  /** Login of `pizza_writer`, for publishing. */
  readonly writer: ISecret;
  /** Derives customer keys from customer ids. It never changes, because another value would give other keys. */
  readonly customerKey: ISecret;

  constructor(scope: Construct, id: string, { key, removalPolicy }: { key: IKey; removalPolicy: RemovalPolicy }) {
    super(scope, id);
    const shared = { encryptionKey: key, removalPolicy };
    const login = (name: string, role: string) =>
      new Secret(this, name, {
        ...shared,
        description: `Login of ${role} in the warehouse`,
        generateSecretString: {
          secretStringTemplate: JSON.stringify({ username: role }),
          generateStringKey: "password",
          passwordLength: 40,
          excludePunctuation: true,
        },
      }) as ISecret;
    this.reader = login("Reader", "pizza_reader");
    this.writer = login("Writer", "pizza_writer");
    this.customerKey = new Secret(this, "CustomerKey", {
      ...shared,
      description: "Derives the customer keys in the lake; a new value would give every customer a new key",
      generateSecretString: {
        secretStringTemplate: "{}",
        generateStringKey: "key",
        passwordLength: 64,
        excludePunctuation: true,
      },
    }) as ISecret;
  }
}
