//! A PostgreSQL server of the test's own, in a folder that goes with it, and sessions with it by `psql`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// What `psql` says when all before it is done.
const DONE: &str = "done-c1a7";

/// The server. It listens on a socket in its folder alone.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
}

impl Server {
    pub fn start() -> Self {
        let programs = programs();
        let folder = said(as_postgres(Path::new("mktemp")).args(["--directory", "/tmp/postgresql.XXXXXX"]));
        let server = Self { programs, folder: PathBuf::from(folder.trim()) };
        let data = server.data();
        said(server.program("initdb").arg(format!("--pgdata={data}")).args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]));
        let options = format!("-k {} -c listen_addresses='' -c fsync=off", server.folder.display());
        let log = server.folder.join("log");
        said(server.program("pg_ctl").arg(format!("--pgdata={data}")).arg("--log").arg(log).args([
            "--wait",
            "--options",
            &options,
            "start",
        ]));
        server
    }

    pub fn session(&self, role: &str) -> Session {
        let mut psql = self.psql(role).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = psql.stdin.take().unwrap();
        let output = BufReader::new(psql.stdout.take().unwrap());
        Session { psql, input, output }
    }

    /// Runs a file as the owner of everything.
    pub fn run_file(&self, file: &Path) {
        said(self.psql("postgres").arg("--file").arg(file));
    }

    /// Runs what has to fail; answers what is said about it.
    pub fn refusal(&self, role: &str, sql: &str) -> String {
        let output = self.psql(role).args(["--command", sql]).output().unwrap();
        assert!(!output.status.success(), "{sql} is allowed");
        String::from_utf8(output.stderr).unwrap()
    }

    fn psql(&self, role: &str) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.current_dir("/").arg("--host").arg(&self.folder).args(["--username", role, "--dbname=postgres"]).args([
            "--no-psqlrc",
            "--quiet",
            "--no-align",
            "--tuples-only",
            "--field-separator=\t",
            "--set=ON_ERROR_STOP=1",
        ]);
        psql
    }

    fn program(&self, name: &str) -> Command {
        as_postgres(&self.programs.join(name))
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = format!("--pgdata={}", self.data());
        let stopped = self.program("pg_ctl").args([&data, "--mode=immediate", "--wait", "stop"]).output();
        assert!(stopped.unwrap().status.success() || std::thread::panicking(), "the server does not stop");
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A session; dropped, it dies like a process that is killed.
#[derive(Debug)]
pub struct Session {
    psql: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    /// Runs statements; answers their rows, columns separated by tabs.
    pub fn run(&mut self, sql: &str) -> Vec<String> {
        writeln!(self.input, "{sql};\n\\echo {DONE}").unwrap();
        let mut rows = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "this failed: {sql}");
            let line = line.trim_end_matches('\n');
            if line == DONE {
                return rows;
            }
            rows.push(line.to_owned());
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.psql.kill().unwrap();
        self.psql.wait().unwrap();
    }
}

/// Where PostgreSQL's programs are: on the path, or where Debian has them, the newest.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.map(|version| version.unwrap().path().join("bin")).collect())
        .unwrap_or_default();
    debian.sort();
    std::env::split_paths(&path)
        .chain(debian.into_iter().rev())
        .find(|folder| ["initdb", "pg_ctl", "psql"].iter().all(|program| folder.join(program).exists()))
        .expect("PostgreSQL is not installed")
}

/// PostgreSQL refuses to be run by root.
fn as_postgres(program: &Path) -> Command {
    let is_root = said(Command::new("id").arg("--user")).trim() == "0";
    let mut command = if is_root {
        let mut command = Command::new("runuser");
        command.args(["--user", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

/// Runs a program that has to succeed; answers what it said. Its output goes to a file: a server that it starts keeps it
/// open.
fn said(command: &mut Command) -> String {
    let output = tempfile::NamedTempFile::new().unwrap();
    let handle = || Stdio::from(output.reopen().unwrap());
    let status = command.stdin(Stdio::null()).stdout(handle()).stderr(handle()).status().unwrap();
    let said = std::fs::read_to_string(output.path()).unwrap();
    assert!(status.success(), "{command:?}: {said}");
    said
}
