# The commands of the README, and the target names of the Kafka, Spark and Airflow pipeline.
# Everything runs with Node.js and npm alone; the first target that needs the packages installs them.
# With ENV=dev (or staging, prod) a target applies to that environment on AWS, with the current AWS credentials;
# with ENV=localstack to the same app on LocalStack, which needs Python.

NODE := node_modules/.bin/node
PIZZA := $(NODE) bin/pizza.ts
CDK := npx cdk
LOCALSTACK := $(NODE) bin/localstack.ts
# Only from make's command line: some shells have an environment variable of this name.
ON := $(if $(findstring command,$(origin ENV)),$(ENV))
AT := $(if $(filter localstack,$(ON)),--target localstack,$(if $(ON),--target aws --env $(ON)))

.DEFAULT_GOAL := help
.PHONY: help demo test check deploy start stop restart logs clean init-database start-streaming stop-streaming \
	monitor console get-db-credentials backup verify data-quality-check bench interop synth diff sizes start-localstack stop-localstack test-localstack test-ministack test-s3 test-console test-powerbi test-upgrade

help: ## print this list
	@awk -F':.*## ' '/^[a-z][a-z -]*:.*## /{printf "  make %-20s %s\n", $$1, $$2}' Makefile

# npm's warnings matter only for changes of package.json and appear with a plain `npm ci`; its errors also appear here.
node_modules/.installed: package-lock.json
	@node -e 'process.exit(parseInt(process.version.slice(1)) < 20 ? 1 : 0)' 2>/dev/null || \
		{ echo "Node.js 20 or newer is required: install it from https://nodejs.org; npm then installs the Node.js 24 that the project uses." >&2; exit 1; }
	@echo "installing the packages in package-lock.json (once, with npm ci)"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: node_modules/.installed ## replay the classic year through every layer (ENV=localstack: start, deploy and replay a week)
	@$(if $(filter localstack,$(ON)),$(LOCALSTACK) demo,$(PIZZA) demo $(AT))

test: node_modules/.installed ## check formatting, lint and types, and run all tests
	@npm run --silent check

start: node_modules/.installed ## start the local pipeline in the background
	@$(PIZZA) start $(AT)

deploy: node_modules/.installed ## same as start; ENV=dev: deploy to AWS (CDK_ARGS=); ENV=localstack: deploy to LocalStack, started if necessary
ifeq ($(ON),localstack)
	@$(LOCALSTACK) deploy
else
	@$(if $(ON),$(CDK) deploy --all -c env=$(ON) $(CDK_ARGS),$(PIZZA) start)
endif

stop: node_modules/.installed ## stop the local pipeline; ENV=dev: stop the schedules on AWS (landing continues, nothing is lost)
ifeq ($(ON),localstack)
	@$(LOCALSTACK) stop
else
	@$(if $(ON),$(CDK) deploy PizzaSales-$(ON)-Stateless --exclusively -c env=$(ON) -c schedules=off $(CDK_ARGS),$(PIZZA) stop)
endif

start-localstack: node_modules/.installed ## start LocalStack without Docker, with PostgreSQL (needs Python 3.12 or 3.13)
	@$(LOCALSTACK) start

stop-localstack: node_modules/.installed ## stop both and discard their data
	@$(LOCALSTACK) stop

restart: node_modules/.installed ## stop and start the local pipeline
	@$(PIZZA) restart $(AT)

logs: node_modules/.installed ## print the log
	@$(PIZZA) logs $(AT)

clean: node_modules/.installed ## stop the local pipeline and delete its data directory
	@$(PIZZA) clean --yes $(AT)

init-database: node_modules/.installed ## start the local pipeline, which creates and migrates the database
	@$(PIZZA) start $(AT)

start-streaming: node_modules/.installed ## send 10 simulated orders per second until stop-streaming (RATE=, ORDERS=)
	@$(if $(ON),,$(PIZZA) start &&) $(PIZZA) produce $(or $(AT),--background) --rate $(or $(RATE),10) $(if $(ORDERS),--orders $(ORDERS))

stop-streaming: node_modules/.installed ## stop sending orders
	@$(PIZZA) produce --stop $(AT)

monitor: node_modules/.installed ## show the state of stream, layers and workflows, and the freshness of gold
	@$(PIZZA) status $(AT)

console: node_modules/.installed ## open the console, a web page that shows the local pipeline
	@$(PIZZA) console $(AT)

get-db-credentials: node_modules/.installed ## print the connection details for psql, DBeaver and Power BI
	@$(PIZZA) credentials $(AT)

backup: node_modules/.installed ## back up gold and the ledgers, and verify the backup with a test restore
	@$(PIZZA) backup $(AT)

verify: node_modules/.installed ## reconcile every record (exit code 3 if the receipt does not balance)
	@$(PIZZA) verify $(AT)

data-quality-check: node_modules/.installed ## check the quality rules (exit code 3 if a rule of severity error is red)
	@$(PIZZA) quality $(AT)

synth: node_modules/.installed ## write the CloudFormation templates to cdk.out (ENV=dev)
	@$(CDK) synth --quiet -c env=$(or $(ON),dev) $(CDK_ARGS)

diff: node_modules/.installed ## show what a deployment would change on AWS (ENV=dev)
	@$(CDK) diff -c env=$(or $(ON),dev) $(CDK_ARGS)

sizes: node_modules/.installed ## print the size of each function's bundle
	@npm run --silent sizes

test-localstack: node_modules/.installed ## test the LocalStack executor and deployment (needs Python 3.12 or 3.13, and PyPI)
	@$(NODE) test/localstack/run.ts

test-ministack: node_modules/.installed ## test the app and the classic year on MiniStack, and its differences from AWS (needs Python 3.12 or 3.13, and PyPI)
	@$(NODE) test/ministack/run.ts

test-s3: node_modules/.installed ## test the lake on MinIO, built with Go, and the doctor on a server that loses data
	@$(NODE) test/object-stores/run.ts

test-console: node_modules/.installed ## drive the console's screens in Chromium, on the classic year (skipped without a browser)
	@$(NODE) test/console/run.ts

test-powerbi: node_modules/.installed ## check the Power BI project's model and measures with other people's tools (needs Python and PyPI)
	@sh test/powerbi/run.sh

test-upgrade: node_modules/.installed ## open a year that release 0.2.0 filled, and send every order of it again (a minute)
	@PIZZA_TEST_UPGRADE=1 npm test --silent -- test/targets/local/open.earlier-rules.test.ts

bench: node_modules/.installed ## benchmark landing, refining and publishing against a naive implementation
	@npm run --silent bench

interop: node_modules/.installed ## open the lake with independent engines (needs Python and PyPI)
	@npm run --silent interop
