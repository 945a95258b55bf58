//! Which system is tested: an own one by name, or a real one by name or by the path of its description.

use std::str::FromStr;

use rashomon_external::Description;

use crate::plan::System;

/// What stands on the command line.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    /// One of ours.
    Own(System),
    /// A real one, and how it was named.
    Real { description: Box<Description>, named: String },
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if let Some(own) = System::OWN.into_iter().find(|system| system.to_string() == name) {
            return Ok(Self::Own(own));
        }
        match Description::find(name) {
            Ok(description) => Ok(Self::Real { description: Box::new(description), named: name.into() }),
            Err(rashomon_external::DescriptionError::Unknown { known, .. }) => {
                let own = System::OWN.map(|system| system.to_string()).join(", ");
                Err(format!("there is no system {name:?}; known are {own}, {known}, or the path of a TOML file"))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}
