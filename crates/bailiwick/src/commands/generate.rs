use crate::cli::Cli;
use crate::exit::{DONE, Failure, UNREADABLE};
use clap::CommandFactory;
use std::path::Path;

pub(super) fn completions(shell: clap_complete::Shell) -> u8 {
    clap_complete::generate(shell, &mut Cli::command(), "bailiwick", &mut std::io::stdout());
    DONE
}

pub(super) fn man(folder: &Path) -> Result<u8, Failure> {
    let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|error| Failure::new(UNREADABLE, format_args!("cannot write man pages into {}: {error}", folder.display())))?;
    Ok(DONE)
}
