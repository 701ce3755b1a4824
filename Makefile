# The commands of the README, and the names that users of the Kafka, Spark and Airflow pipeline know.
# Everything runs with Node and npm alone; the first target that needs them installs the packages.

NODE := node_modules/.bin/node
PIZZA := $(NODE) bin/pizza.ts

.DEFAULT_GOAL := help
.PHONY: help demo test check deploy start stop restart logs clean init-database start-streaming stop-streaming \
	monitor get-db-credentials verify bench interop

help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z -]*:.*## /{printf "  make %-20s %s\n", $$1, $$2}' Makefile

node_modules/.installed: package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

demo: node_modules/.installed ## the classic year through every layer, with key figures and the receipt
	@$(PIZZA) demo

test: node_modules/.installed ## formatting, lint, types and all tests
	@npm run --silent check

deploy start: node_modules/.installed ## start the home in the background
	@$(PIZZA) start

stop: node_modules/.installed ## stop it
	@$(PIZZA) stop

restart: node_modules/.installed ## stop and start
	@$(PIZZA) restart

logs: node_modules/.installed ## its log
	@$(PIZZA) logs

clean: node_modules/.installed ## stop it and remove all its data
	@$(PIZZA) clean --yes

init-database: node_modules/.installed ## start the home: it creates the database and brings its schemas up to date
	@$(PIZZA) start

start-streaming: node_modules/.installed ## send invented orders, 10 a second, until stop-streaming (RATE=, ORDERS=)
	@$(PIZZA) start && $(PIZZA) produce --background --rate $(or $(RATE),10) $(if $(ORDERS),--orders $(ORDERS))

stop-streaming: node_modules/.installed ## stop sending
	@$(PIZZA) produce --stop

monitor: node_modules/.installed ## stream, layers, workflows, freshness
	@$(PIZZA) status

get-db-credentials: node_modules/.installed ## connection details for psql, DBeaver and Power BI
	@$(PIZZA) credentials

verify: node_modules/.installed ## account for every record; exit code 3 when it does not balance
	@$(PIZZA) verify

bench: node_modules/.installed ## measure landing, refining and publishing against the plainest way
	@npm run --silent bench

interop: node_modules/.installed ## open the lake with engines that nobody here wrote (needs Python and PyPI)
	@npm run --silent interop
