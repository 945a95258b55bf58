//! What the histories of each workload are held against.

use rashomon_checker::Options;
use rashomon_checker::properties::{COPY, DECISIONS};
use rashomon_checker::transactions::Consistency;
use rashomon_history::{Call, Operation};

use super::{AskedConsistency, Checked, Model, ModelError, Parameters};
use crate::Workload;
use crate::locks::SEMAPHORE_PERMITS;
use crate::transactions::BANK_TOTAL;

impl Workload {
    /// What the workload's histories are held against where the system promises this, the most telling first.
    #[must_use]
    pub fn models(self, promised: &Parameters) -> Vec<Model> {
        let level = match promised.consistency {
            Some(AskedConsistency::Transactions(level)) => level,
            Some(AskedConsistency::Linearizable) | None => Consistency::default(),
        };
        let with_snapshots = |model| level.implies(Consistency::SnapshotIsolation).then_some(model);
        let fencing = promised.is_fenced.then_some(Model::Fencing);
        let mut models = match self {
            Self::Register => vec![Model::Register],
            Self::Append => vec![Model::ListAppend],
            Self::Set => vec![Model::Set],
            Self::Counter => vec![Model::Counter],
            Self::Queue => vec![Model::Queue, Model::TotalQueue],
            Self::Lock | Self::FencedLock => present([Some(Model::LeaseLock), fencing, None]),
            Self::Semaphore => vec![Model::LeaseLock],
            Self::LockSet => present([Some(Model::LeaseLock), fencing, Some(Model::SetFull)]),
            Self::Bank => present([with_snapshots(Model::Bank), Some(Model::Commit), None]),
            Self::AppendTxn | Self::Commit => vec![Model::Commit, Model::ListAppend],
            Self::RwTxn | Self::WriteSkew => vec![Model::Commit, Model::RwRegister],
            Self::LongFork => present([Some(Model::Commit), Some(Model::RwRegister), with_snapshots(Model::LongFork)]),
            Self::Watch => vec![Model::Log],
        };
        models.extend(promised.tells_copies.then_some(Model::Copies));
        models
    }

    /// Holds a history against everything that the system promises.
    ///
    /// # Errors
    /// [`ModelError`] where an operation is none of the workload's.
    pub fn check(
        self,
        promised: &Parameters,
        operations: &[Operation],
        options: &Options,
    ) -> Result<Vec<Checked>, ModelError> {
        let models = self.models(promised);
        models.into_iter().map(|model| self.check_one(model, promised, operations, options)).collect()
    }

    fn check_one(
        self,
        model: Model,
        promised: &Parameters,
        operations: &[Operation],
        options: &Options,
    ) -> Result<Checked, ModelError> {
        let parameters = self.parameters(model, promised);
        if operations.iter().all(|operation| model.is_about(&operation.call)) {
            return model.check(&parameters, operations, options);
        }
        let of_model: Vec<Operation> =
            operations.iter().filter(|operation| model.is_about(&operation.call)).cloned().collect();
        let checked = model.check(&parameters, &of_model, options)?;
        Ok(Checked { operations: Some(of_model), ..checked })
    }

    /// What the workload knows better than the system, and what a model does not ask for.
    fn parameters(self, model: Model, promised: &Parameters) -> Parameters {
        let levels = [Model::ListAppend, Model::RwRegister].contains(&model);
        Parameters {
            consistency: promised.consistency.filter(|_| levels),
            exactly_once: self == Self::Queue || promised.exactly_once,
            permits: if self == Self::Semaphore { SEMAPHORE_PERMITS } else { 1 },
            total: (self == Self::Bank).then_some(BANK_TOTAL).or(promised.total),
            ..promised.clone()
        }
    }
}

fn present(models: [Option<Model>; 3]) -> Vec<Model> {
    models.into_iter().flatten().collect()
}

impl Model {
    /// Whether a call belongs to what the model looks at, where clients of one run do several things.
    fn is_about(self, call: &Call) -> bool {
        let reads = |name: &str| matches!(call, Call::Read { key } if key.as_str() == name);
        match self {
            Self::Copies => reads(COPY),
            _ if reads(COPY) => false,
            // Reads that let a node come up with the others are no calls of a log.
            Self::Log => !matches!(call, Call::Read { .. }),
            Self::SetFull => matches!(call, Call::Add { .. } | Call::Read { .. } | Call::Contains { .. }),
            // What is drained when nobody else asks is beyond every order.
            Self::Queue => !matches!(call, Call::Drain { .. }),
            Self::ListAppend | Self::RwRegister | Self::LongFork | Self::Bank => !reads(DECISIONS),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests;
