//! A history and a model: what the checker says.

use rashomon_checker::models::{
    self, AppendList, Counter, FencedMutex, GrowSet, HistoryModel, KeyValue, OwnedMutex, ReentrantFencedMutex,
    ReentrantMutex, Register, Scope, Semaphore, VersionedRegister, check_history,
};
use rashomon_checker::properties::{BankRules, Property, PropertyReport, PropertyVerdict, PropertyWhy};
use rashomon_checker::transactions::{Consistency, TransactionOptions, TransactionReport, check_transactions};
use rashomon_checker::versions::Growth;
use rashomon_checker::{Options, Report};
use rashomon_history::{Call, Operation, Value};

use super::{AskedConsistency, Model, ModelError, Parameters};

/// What a check says, by the model.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What the history was held against.
    pub model: Model,
    /// The answer.
    pub answer: Answer,
    /// The operations that its positions tell of, where they are not all of the history.
    pub operations: Option<Vec<Operation>>,
}

/// What a checker of some kind says.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Whether the objects were linearizable.
    Linearizability(Report),
    /// Whether the transactions satisfied a level.
    Transactions(TransactionReport),
    /// Whether the history has a property.
    Property(PropertyReport),
}

impl Checked {
    /// Whether nothing happened that could have broken what was checked: so it may be in a short run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.answer {
            Answer::Linearizability(_) | Answer::Transactions(_) => false,
            Answer::Property(report) => {
                matches!(&report.verdict, PropertyVerdict::Unknown { why: PropertyWhy::NothingToDecide { .. } })
            }
        }
    }
}

impl Model {
    /// Checks a history against the model.
    ///
    /// # Errors
    /// [`ModelError`] where an operation is none of the model's, or the model knows nothing of the level asked for.
    pub fn check(
        self,
        parameters: &Parameters,
        operations: &[Operation],
        options: &Options,
    ) -> Result<Checked, ModelError> {
        let answer = Check { model: self, parameters, operations, options }.answer()?;
        Ok(Checked { model: self, answer, operations: None })
    }
}

struct Check<'a> {
    model: Model,
    parameters: &'a Parameters,
    operations: &'a [Operation],
    options: &'a Options,
}

impl Check<'_> {
    fn answer(&self) -> Result<Answer, ModelError> {
        let parameters = self.parameters;
        match self.model {
            Model::Register => self.linearizable(&Register { initial: parameters.initial.clone() }),
            Model::VersionedRegister => self.linearizable(&VersionedRegister {
                initial: parameters.initial.clone(),
                first: 0,
                growth: if parameters.version_gaps { Growth::AtLeastOne } else { Growth::One },
            }),
            Model::Counter => self.linearizable(&Counter { initial: self.first_number()? }),
            Model::KeyValue => self.linearizable(&KeyValue { scope: Scope::Key }),
            Model::KeyValueWhole => self.linearizable(&KeyValue { scope: Scope::Map }),
            Model::Set if models::is_grow_set(self.operations) => self.linearizable(&GrowSet),
            Model::Set => self.linearizable(&models::Set::of(self.operations)),
            Model::Queue => self.linearizable(&models::Queue),
            Model::Bag => self.linearizable(&models::Bag),
            Model::Mutex => self.linearizable(&models::Mutex),
            Model::OwnedMutex => self.linearizable(&OwnedMutex),
            Model::ReentrantMutex => self.linearizable(&ReentrantMutex { limit: parameters.holds_max }),
            Model::FencedMutex => self.linearizable(&FencedMutex),
            Model::ReentrantFencedMutex => self.linearizable(&ReentrantFencedMutex { limit: parameters.holds_max }),
            Model::Semaphore => self.linearizable(&Semaphore { permits: parameters.permits }),
            Model::ListAppend => self.lists(),
            Model::RwRegister => self.transactions(self.level()?),
            Model::SetFull => {
                let linearizable = parameters.consistency == Some(AskedConsistency::Linearizable);
                self.property(&Property::SetFull { linearizable })
            }
            Model::TotalQueue => self.property(&Property::TotalQueue { exactly_once: parameters.exactly_once }),
            Model::UniqueIds => self.property(&Property::UniqueIds),
            Model::CounterBounds => self.property(&Property::CounterBounds),
            Model::Monotonic => self.property(&Property::Monotonic { values: false }),
            Model::MonotonicValues => self.property(&Property::Monotonic { values: true }),
            Model::Session => self.property(&Property::Session),
            Model::StaleReadBound => self.property(&Property::StaleReadBound { delta: parameters.delta }),
            Model::Log => self.property(&Property::Log),
            Model::LongFork => self.property(&Property::LongFork),
            Model::LeaseLock => {
                self.property(&Property::LeaseLock { ttl: parameters.ttl, permits: parameters.permits })
            }
            Model::Fencing => self.property(&Property::Fencing),
            Model::Commit => self.property(&Property::Commit),
            Model::Copies => self.property(&Property::Copies),
            Model::Bank => self.property(&Property::Bank(BankRules {
                accounts: None,
                total: parameters.total,
                negative_balances_allowed: parameters.negative_balances_allowed,
            })),
        }
    }

    fn linearizable(&self, model: &impl HistoryModel) -> Result<Answer, ModelError> {
        match self.parameters.consistency {
            None | Some(AskedConsistency::Linearizable) => {
                Ok(Answer::Linearizability(check_history(model, self.operations, self.options)?))
            }
            Some(_) => Err(self.wrong_level("linearizable")),
        }
    }

    fn first_number(&self) -> Result<i64, ModelError> {
        match &self.parameters.initial {
            Value::Nil => Ok(0),
            Value::Int(number) => Ok(*number),
            Value::Text(text) => Err(ModelError::Initial { model: self.model, initial: text.as_str().into() }),
        }
    }

    /// Lists by themselves are checked as objects, unless a level of transactions was asked for.
    fn lists(&self) -> Result<Answer, ModelError> {
        let has_transactions = self.operations.iter().any(|operation| matches!(operation.call, Call::Txn { .. }));
        match self.parameters.consistency {
            None if !has_transactions => self.linearizable(&AppendList),
            Some(AskedConsistency::Linearizable) if !has_transactions => self.linearizable(&AppendList),
            None | Some(_) => self.transactions(self.level()?),
        }
    }

    fn level(&self) -> Result<Consistency, ModelError> {
        match self.parameters.consistency {
            None => Ok(Consistency::default()),
            Some(AskedConsistency::Transactions(level)) => Ok(level),
            Some(AskedConsistency::Linearizable) => Err(self
                .wrong_level("strict-serializable, serializable, snapshot-isolation and other levels of transactions")),
        }
    }

    fn transactions(&self, consistency: Consistency) -> Result<Answer, ModelError> {
        let options = TransactionOptions {
            consistency,
            time_budget: self.options.time_budget,
            memory_budget_bytes: self.options.memory_budget_bytes,
            ..TransactionOptions::default()
        };
        Ok(Answer::Transactions(check_transactions(self.operations, &options)?))
    }

    fn property(&self, property: &Property) -> Result<Answer, ModelError> {
        match self.parameters.consistency {
            None | Some(AskedConsistency::Linearizable) => {
                Ok(Answer::Property(property.check(self.operations, self.options)?))
            }
            Some(_) => Err(self.wrong_level("what it says of itself")),
        }
    }

    fn wrong_level(&self, known: &'static str) -> ModelError {
        let consistency = self.parameters.consistency.unwrap_or(AskedConsistency::Linearizable);
        ModelError::Consistency { model: self.model, consistency, known }
    }
}
