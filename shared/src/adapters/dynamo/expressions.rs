//! Update and condition expressions. Every attribute is written `#name`, since DynamoDB reserves common words
//! (`connection`, `state`, `status`); the aliases are collected from the text.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use serde::Serialize;

use super::items::{Item, attributes};
use crate::{Error, Result};

/// A conditional change of one item.
#[derive(Default)]
pub(super) struct Change {
    set: Vec<String>,
    remove: Vec<String>,
    add: Vec<String>,
    delete: Vec<String>,
    condition: Option<String>,
    values: Item,
}

impl Change {
    pub(super) fn when(condition: impl Into<String>) -> Self {
        Self { condition: Some(condition.into()), ..Self::default() }
    }

    /// On this condition instead.
    pub(super) fn on(self, condition: impl Into<String>) -> Self {
        Self { condition: Some(condition.into()), ..self }
    }

    /// The value of `:name` in a condition or assignment.
    pub(super) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(format!(":{name}"), value);
        self
    }

    /// Sets all attributes of `row`, and removes those that are `None`.
    pub(super) fn row(mut self, row: &impl Serialize) -> Result<Self> {
        for (name, value) in attributes(row)? {
            self = if value.is_null() { self.remove(&name) } else { self.set(&name, value) };
        }
        Ok(self)
    }

    pub(super) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        self.set.push(format!("#{name} = :{name}"));
        self.with(name, value)
    }

    pub(super) fn set_or_remove(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    /// Sets `name` if it is absent.
    pub(super) fn set_if_absent(self, name: &str, value: AttributeValue) -> Self {
        self.assign(&format!("#{name} = if_not_exists(#{name}, :{name})")).with(name, value)
    }

    /// Counts `name` up by one, from zero where it is absent.
    pub(super) fn count_up(self, name: &str) -> Self {
        self.count_up_from(name, 0)
    }

    /// Counts `name` up by one, from `first` where it is absent.
    pub(super) fn count_up_from(self, name: &str, first: u64) -> Self {
        self.assign(&format!("#{name} = if_not_exists(#{name}, :first_{name}) + :one"))
            .with(&format!("first_{name}"), AttributeValue::N(first.to_string()))
            .with("one", AttributeValue::N("1".to_owned()))
    }

    /// Any other assignment.
    pub(super) fn assign(mut self, assignment: &str) -> Self {
        self.set.push(assignment.to_owned());
        self
    }

    pub(super) fn remove(mut self, name: &str) -> Self {
        self.remove.push(format!("#{name}"));
        self
    }

    /// Adds to a set.
    pub(super) fn add(mut self, name: &str, values: Vec<String>) -> Self {
        self.add.push(format!("#{name} :{name}"));
        self.with(name, AttributeValue::Ss(values))
    }

    /// Removes from a set.
    pub(super) fn take(mut self, name: &str, values: Vec<String>) -> Self {
        self.delete.push(format!("#{name} :{name}"));
        self.with(name, AttributeValue::Ss(values))
    }

    pub(super) fn parts(self) -> Parts {
        let clauses = [("SET", &self.set), ("REMOVE", &self.remove), ("ADD", &self.add), ("DELETE", &self.delete)];
        let update = clauses
            .iter()
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(word, parts)| format!("{word} {}", parts.join(", ")))
            .collect::<Vec<_>>()
            .join(" ");
        let names = aliases([update.as_str(), self.condition.as_deref().unwrap_or_default()]);
        Parts {
            update,
            condition: self.condition,
            names,
            values: Some(self.values).filter(|values| !values.is_empty()),
        }
    }

    /// As part of a transaction.
    pub(super) fn update(self, table: &str, key: Item) -> Result<TransactWriteItem> {
        let parts = self.parts();
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(parts.update)
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(parts.names)
            .set_expression_attribute_values(parts.values)
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// As part of a transaction: puts the whole item, on the condition alone.
    pub(super) fn put(self, table: &str, item: Item) -> Result<TransactWriteItem> {
        let parts = self.parts();
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(parts.names)
            .set_expression_attribute_values(parts.values)
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// As part of a transaction: removes the item, on the condition alone.
    pub(super) fn delete(self, table: &str, key: Item) -> Result<TransactWriteItem> {
        let parts = self.parts();
        let delete = Delete::builder()
            .table_name(table)
            .set_key(Some(key))
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(parts.names)
            .set_expression_attribute_values(parts.values)
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

/// A [`Change`] in the form of a request.
pub(super) struct Parts {
    pub(super) update: String,
    pub(super) condition: Option<String>,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<Item>,
}

/// The aliases in expressions; `None` without any, since DynamoDB refuses an empty map.
pub(super) fn aliases<'a>(expressions: impl IntoIterator<Item = &'a str>) -> Option<HashMap<String, String>> {
    let names: HashMap<_, _> = expressions
        .into_iter()
        .flat_map(|expression| expression.split('#').skip(1))
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default())
        .map(|name| (format!("#{name}"), name.to_owned()))
        .collect();
    Some(names).filter(|names| !names.is_empty())
}
