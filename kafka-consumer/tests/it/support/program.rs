//! The program, run to its end.

use std::process::{Command, Output};

use crate::world::World;

/// Runs the program to its end.
pub(crate) async fn program(world: &World, arguments: &[&str]) -> Output {
    program_with(world, arguments, &[]).await
}

async fn program_with(world: &World, arguments: &[&str], variables: &[(&str, String)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kafka-consumer"));
    command.args(arguments).arg("--config").arg(world.file(None));
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

pub(crate) async fn says(world: &World, arguments: &[&str]) -> String {
    says_with(world, arguments, &[]).await
}

/// With more in its environment.
pub(crate) async fn says_with(world: &World, arguments: &[&str], variables: &[(&str, String)]) -> String {
    let output = program_with(world, arguments, variables).await;
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{arguments:?}: {out}{err}");
    out
}

pub(crate) async fn fails(world: &World, arguments: &[&str]) -> String {
    fails_with(world, arguments, &[]).await
}

/// With more in its environment.
pub(crate) async fn fails_with(world: &World, arguments: &[&str], variables: &[(&str, String)]) -> String {
    let output = program_with(world, arguments, variables).await;
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

pub(crate) async fn json(world: &World, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&says(world, arguments).await).unwrap()
}
