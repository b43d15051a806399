//! Generates types and dispatch from the interface definition.
//!
//! A caller may leave out any parameter, and any member of the types that only callers send. The published definition
//! has no such marks, so the code is generated from a lenient variant of it, in which these are optional (`?type`);
//! what GetInterfaceDescription answers stays the published text.

use std::{env, error::Error, fs, path::Path, process::Command};

use varlink_parser::{Format, IDL, VStruct, VStructOrEnum, VType, VTypeExt};

const PODMAN: &str = "../fixtures/io.projectatomic.podman.varlink";
/// The types that only callers send.
const SENT_BY_CALLERS: [&str; 4] = [
    "Create",
    "CreateResourceConfig",
    "IDMappingOptions",
    "IDMap",
];

fn main() -> Result<(), Box<dyn Error>> {
    generate(PODMAN, "podman.rs")?;
    println!("cargo:rerun-if-changed=build.rs");
    println!(
        "cargo:rustc-env=BUILD_COMPILER={}",
        output("rustc", &["--version"])
    );
    println!(
        "cargo:rustc-env=BUILD_COMMIT={}",
        output("git", &["rev-parse", "HEAD"])
    );
    println!("cargo:rustc-env=BUILD_TIME={}", build_time());
    Ok(())
}

fn generate(source: &str, target: &str) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={source}");
    let text = fs::read_to_string(source)?;
    let lenient = lenient(&text)?;
    let mut code = Vec::new();
    varlink_generator::generate(&mut lenient.as_bytes(), &mut code, false)?;
    let code = with_own_calls(String::from_utf8(code)?)?;
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(Path::new(&out).join(target), code)?;
    Ok(())
}

/// Puts the engine's own `Call` in the place of the varlink crate's: it writes a reply as text at once. The crate turns it
/// into a tree of values first, which for a long list takes longer than all the rest.
fn with_own_calls(mut code: String) -> Result<String, Box<dyn Error>> {
    let changes = [
        (
            "trait VarlinkCallError : varlink :: CallTrait",
            "trait VarlinkCallError : crate :: api :: call :: Replying",
        ),
        (
            "for varlink :: Call < '_ >",
            "for crate :: api :: call :: Call < '_ >",
        ),
        (
            "call : & mut varlink :: Call",
            "call : & mut crate :: api :: call :: Call",
        ),
        (
            "impl varlink :: Interface for VarlinkInterfaceProxy",
            "impl VarlinkInterfaceProxy",
        ),
        ("fn call (& self", "pub fn call (& self"),
        // Read from where they are: a copy of all parameters would be made to be taken apart.
        (
            "if let Some (args) = req . parameters . clone ()",
            "if let Some (args) = req . parameters . as_ref ()",
        ),
        (
            "match serde_json :: from_value (args)",
            "match serde :: Deserialize :: deserialize (args)",
        ),
    ];
    for (old, new) in changes {
        code = changed(&code, old, new)?;
    }
    with_own_replies(&code)
}

/// `self.reply_struct(X_Reply {…}.into())` becomes `reply(self, &X_Reply {…})`; errors stay as they are.
fn with_own_replies(code: &str) -> Result<String, Box<dyn Error>> {
    const OLD: &str = "self . reply_struct (";
    let mut parts = code.split(OLD);
    let mut new = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        if part.starts_with("varlink") {
            new.push_str(OLD);
            new.push_str(part);
        } else {
            new.push_str("crate :: api :: call :: reply (self , & ");
            new.push_str(&changed_once(part, " . into ())", ")")?);
        }
    }
    Ok(new)
}

/// What the generator writes may change with its version: then the build fails here and not in the code that it made.
fn changed(code: &str, old: &str, new: &str) -> Result<String, Box<dyn Error>> {
    if code.contains(old) {
        Ok(code.replace(old, new))
    } else {
        Err(format!("the generated code has no `{old}`").into())
    }
}

fn changed_once(code: &str, old: &str, new: &str) -> Result<String, Box<dyn Error>> {
    let (before, after) = code
        .split_once(old)
        .ok_or_else(|| format!("the generated code has no `{old}`"))?;
    Ok([before, new, after].concat())
}

fn lenient(text: &str) -> Result<String, Box<dyn Error>> {
    let mut idl = IDL::try_from(text)?;
    for method in idl.methods.values_mut() {
        make_optional(&mut method.input);
    }
    for typedef in idl
        .typedefs
        .values_mut()
        .filter(|t| SENT_BY_CALLERS.contains(&t.name))
    {
        if let VStructOrEnum::VStruct(members) = &mut typedef.elt {
            make_optional(members);
        }
    }
    Ok(idl.get_multiline(0, 80))
}

fn make_optional(members: &mut VStruct<'_>) {
    for member in &mut members.elts {
        let plain = std::mem::replace(&mut member.vtype, VTypeExt::Plain(VType::Bool));
        member.vtype = VTypeExt::Option(Box::new(plain));
    }
}

/// The first line that a tool prints, or `unknown`: a source archive has no commit.
fn output(tool: &str, arguments: &[&str]) -> String {
    Command::new(tool)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .and_then(|text| text.lines().next().map(str::to_owned))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Seconds since 1970; SOURCE_DATE_EPOCH makes a build repeatable.
fn build_time() -> u64 {
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| {
            std::time::UNIX_EPOCH
                .elapsed()
                .map(|since| since.as_secs())
                .unwrap_or_default()
        })
}
