//! `doorward`: all of it is in the library.

fn main() -> std::process::ExitCode {
    doorward::cli::main()
}
