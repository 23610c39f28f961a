//! One module for each command.

mod apparmor;
mod doctor;
mod evidence;
mod gateway;
mod gateway_role;
mod generate;
mod policy;
mod run;
#[cfg(feature = "local-model")]
mod serve_model;
mod session;
mod timings;

use crate::cli::Command;
use crate::demo;
use crate::exit::Failure;
use crate::settings::Settings;
use endpoint::Timeline;

pub(crate) use evidence::{report_of, verify_log};

/// Does what was asked; the result is the exit code.
pub(crate) fn dispatch(command: Command, settings: &Settings, timeline: Timeline) -> Result<u8, Failure> {
    match command {
        Command::Run(args) => run::run(&args, settings, timeline),
        Command::Demo(args) => demo::run(&args, settings),
        Command::Gateway(args) => gateway::run(&args, settings),
        Command::Evidence(command) => evidence::run(command, settings),
        Command::Policy(command) => policy::run(command),
        Command::Session(command) => session::run(command, settings),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions { shell } => Ok(generate::completions(shell)),
        Command::Man { folder } => generate::man(&folder),
        Command::ServeModel { descriptor, model } => serve_model(descriptor, &model),
        Command::ReferenceAgent(args) => demo::agent::run(&args, settings),
        Command::RedTeam(args) => Ok(demo::red_team::run(&args, settings)),
    }
}

#[cfg(feature = "local-model")]
fn serve_model(descriptor: i32, model: &std::path::Path) -> Result<u8, Failure> {
    serve_model::run(descriptor, model)
}

#[cfg(not(feature = "local-model"))]
fn serve_model(_: i32, _: &std::path::Path) -> Result<u8, Failure> {
    Err(Failure::new(
        crate::exit::REFUSED,
        "this build serves no model files; build it with the feature local-model, or name another upstream",
    ))
}
