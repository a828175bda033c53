//! Every help page, as it is shown: a change to one is seen in review.

use clap::CommandFactory;
use doorward::cli::args::Args;

fn page(path: &[&str]) -> String {
    let mut command = Args::command().term_width(100);
    command.build();
    let mut at = &mut command;
    for name in path {
        at = at.find_subcommand_mut(name).unwrap();
    }
    at.render_long_help().to_string()
}

#[test]
fn the_command_line_is_sound() {
    Args::command().debug_assert();
}

#[test]
fn every_help_page() {
    insta::assert_snapshot!("help", page(&[]));
    let command = Args::command();
    for name in command
        .get_subcommands()
        .map(clap::Command::get_name)
        .filter(|name| *name != "help")
    {
        insta::assert_snapshot!(format!("help_{name}"), page(&[name]));
    }
    for name in ["show", "preview"] {
        insta::assert_snapshot!(format!("help_rules_{name}"), page(&["rules", name]));
    }
    for name in ["readers", "lend", "return"] {
        insta::assert_snapshot!(format!("help_desk_{name}"), page(&["desk", name]));
    }
    for name in ["status", "now", "accept"] {
        insta::assert_snapshot!(format!("help_sync_{name}"), page(&["sync", name]));
    }
}
