# make run    sets the machine up, builds, and plays the demo
# make test   sets the machine up and runs every check
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Where rustup puts cargo, for shells that have not been told.
export PATH := $(PATH):$(HOME)/.cargo/bin
.PHONY: help setup build run test test-agents bench bench-limits bench-escapes test-work test-old-kernel fuzz clean-demo

# Cargo knows where it builds; a user's own CARGO_TARGET_DIR is kept.
PROGRAM = $${CARGO_TARGET_DIR:-target}/debug/bailiwick

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

setup: ## Install what is missing and fetch the local model
	@scripts/setup

build: setup
	@cargo build --locked --package bailiwick

run: build ## Play the case study: an agent inside walls, a red team, the evidence
	@$(PROGRAM) demo

test: setup ## Run every check
	@scripts/test

test-agents: build ## Install real agents at pinned versions and show each finishing a task inside walls
	@scripts/test-agents

fuzz: ## Fuzz every parser of hostile bytes, 60 seconds each (MINUTES=10 for longer)
	@scripts/fuzz

bench: build ## Measure every figure of the documents
	@scripts/bench

bench-limits: ## Set off full-size bombs in sessions, and tell how each ended
	@scripts/bench-limits

bench-escapes: setup ## Try every known escape in our walls and in other sandboxes, and print one table
	@scripts/bench-escapes

test-work: setup ## Do real work in sessions (venv, pytest, node, npm, cargo, make, git, gdb, strace, a server), and tell what works
	@scripts/test-work

test-old-kernel: setup ## Boot Debian 12's kernel in an emulated machine, and try the walls and their refusals there
	@scripts/test-old-kernel

clean-demo: ## Remove the folder of the last demo; kept folders and the model stay
	@scripts/clean-demo
