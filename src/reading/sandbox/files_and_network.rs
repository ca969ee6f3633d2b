//! Landlock (`landlock(7)`): opens no file, makes no connection and signals no other process, as far as the kernel
//! supports it (5.13 files, 6.7 TCP, 6.12 signals and abstract sockets).

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetError, RulesetStatus, Scope,
};

/// Restricts this process permanently; `false` if the kernel has no Landlock.
pub fn restrict() -> Result<bool, RulesetError> {
    let all = ABI::V6;
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(all))?
        .handle_access(AccessNet::from_all(all))?
        .scope(Scope::from_all(all))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}
