# The commands of the README, and the names that users of the Kafka, Spark and Airflow pipeline know.
# Everything runs with Node and npm alone; the first target that needs them installs the packages.
# With ENV=dev (or staging, prod) a target means that environment on AWS, as the AWS credentials at hand;
# with ENV=localstack the same app on LocalStack, which needs Python.

NODE := node_modules/.bin/node
PIZZA := $(NODE) bin/pizza.ts
CDK := npx cdk
LOCALSTACK := $(NODE) bin/localstack.ts
# Given to make itself: some shells have a variable of this name.
ON := $(if $(findstring command,$(origin ENV)),$(ENV))
AT := $(if $(filter localstack,$(ON)),--target localstack,$(if $(ON),--target aws --env $(ON)))

.DEFAULT_GOAL := help
.PHONY: help demo test check deploy start stop restart logs clean init-database start-streaming stop-streaming \
	monitor get-db-credentials backup verify data-quality-check bench interop synth diff sizes start-localstack stop-localstack test-localstack test-ministack test-s3

help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z -]*:.*## /{printf "  make %-20s %s\n", $$1, $$2}' Makefile

# npm's warnings are for those who change package.json and show with a plain `npm ci`; its errors show here too.
node_modules/.installed: package-lock.json
	@node -e 'process.exit(parseInt(process.version.slice(1)) < 20 ? 1 : 0)' 2>/dev/null || \
		{ echo "Install Node 20 or newer first (https://nodejs.org): npm then fetches the Node 24 that the project runs on." >&2; exit 1; }
	@echo "installing the packages that package-lock.json pins (once, with npm ci)"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: node_modules/.installed ## the classic year through every layer; ENV=localstack a week, LocalStack started and deployed
	@$(if $(filter localstack,$(ON)),$(LOCALSTACK) demo,$(PIZZA) demo $(AT))

test: node_modules/.installed ## formatting, lint, types and all tests
	@npm run --silent check

start: node_modules/.installed ## start the home in the background
	@$(PIZZA) start $(AT)

deploy: node_modules/.installed ## the same; ENV=dev to AWS (CDK_ARGS=); ENV=localstack into the LocalStack that runs, else starts one
ifeq ($(ON),localstack)
	@$(LOCALSTACK) deploy
else
	@$(if $(ON),$(CDK) deploy --all -c env=$(ON) $(CDK_ARGS),$(PIZZA) start)
endif

stop: node_modules/.installed ## stop it; ENV=dev stops the schedules on AWS, landing goes on and nothing is lost
ifeq ($(ON),localstack)
	@$(LOCALSTACK) stop
else
	@$(if $(ON),$(CDK) deploy PizzaSales-$(ON)-Stateless --exclusively -c env=$(ON) -c schedules=off $(CDK_ARGS),$(PIZZA) stop)
endif

start-localstack: node_modules/.installed ## start LocalStack without Docker, and PostgreSQL beside it (needs Python 3.12 or 3.13)
	@$(LOCALSTACK) start

stop-localstack: node_modules/.installed ## stop both; what they held is forgotten
	@$(LOCALSTACK) stop

restart: node_modules/.installed ## stop and start
	@$(PIZZA) restart $(AT)

logs: node_modules/.installed ## its log
	@$(PIZZA) logs $(AT)

clean: node_modules/.installed ## stop it and remove all its data
	@$(PIZZA) clean --yes $(AT)

init-database: node_modules/.installed ## start the home: it creates the database and brings its schemas up to date
	@$(PIZZA) start $(AT)

start-streaming: node_modules/.installed ## send invented orders, 10 a second, until stop-streaming (RATE=, ORDERS=)
	@$(if $(ON),,$(PIZZA) start &&) $(PIZZA) produce $(or $(AT),--background) --rate $(or $(RATE),10) $(if $(ORDERS),--orders $(ORDERS))

stop-streaming: node_modules/.installed ## stop sending
	@$(PIZZA) produce --stop $(AT)

monitor: node_modules/.installed ## stream, layers, workflows, freshness
	@$(PIZZA) status $(AT)

get-db-credentials: node_modules/.installed ## connection details for psql, DBeaver and Power BI
	@$(PIZZA) credentials $(AT)

backup: node_modules/.installed ## copy gold and the ledgers to the backup store, and prove the copy
	@$(PIZZA) backup $(AT)

verify: node_modules/.installed ## account for every record; exit code 3 when it does not balance
	@$(PIZZA) verify $(AT)

data-quality-check: node_modules/.installed ## check the quality rules; exit code 3 when one of severity error is red
	@$(PIZZA) quality $(AT)

synth: node_modules/.installed ## write the CloudFormation templates to cdk.out (ENV=dev)
	@$(CDK) synth --quiet -c env=$(or $(ON),dev) $(CDK_ARGS)

diff: node_modules/.installed ## what a deployment would change on AWS (ENV=dev)
	@$(CDK) diff -c env=$(or $(ON),dev) $(CDK_ARGS)

sizes: node_modules/.installed ## bytes of each function's bundle
	@npm run --silent sizes

test-localstack: node_modules/.installed ## the executor's tests and the emulator's (needs Python 3.12 or 3.13 and PyPI)
	@$(NODE) test/localstack/run.ts

test-ministack: node_modules/.installed ## the app and the classic year on MiniStack, and what that does otherwise than AWS (Python 3.12 or 3.13, PyPI)
	@$(NODE) test/ministack/run.ts

test-s3: node_modules/.installed ## the lake on MinIO, built with Go, and the doctor on a server that loses data
	@$(NODE) test/object-stores/run.ts

bench: node_modules/.installed ## measure landing, refining and publishing against the plainest way
	@npm run --silent bench

interop: node_modules/.installed ## open the lake with engines that nobody here wrote (needs Python and PyPI)
	@npm run --silent interop
