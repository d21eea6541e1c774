//! Settings of topics and of the broker, shown and changed.

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{
    DescribeConfigsRequest, DescribeConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};

use super::refusal::Refusal;
use super::{blocking, text};
use crate::broker::{NODE_ID, Shared};
use crate::catalogue::Setting;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const SOURCE_TOPIC: i8 = 1;
const SOURCE_DEFAULT: i8 = 5;
const SET: i8 = 0;
const DELETE: i8 = 1;

/// Where a setting has its value from, in the numbers of the protocol.
pub(super) fn source(setting: &Setting) -> i8 {
    if setting.is_default { SOURCE_DEFAULT } else { SOURCE_TOPIC }
}

pub(super) fn describe(shared: &Shared, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let include_synonyms = request.include_synonyms;
    let describe = |resource: DescribeConfigsResource| {
        let settings = settings_of(shared, &resource);
        let keys = resource.configuration_keys.filter(|keys| !keys.is_empty());
        let wanted =
            |name: &str| keys.as_ref().is_none_or(|keys| keys.iter().any(|key| key.as_str() == name));
        let response = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name);
        match settings {
            Ok(settings) => {
                let shown = settings.into_iter().filter(|setting| wanted(setting.name));
                response.with_configs(shown.map(|setting| show(setting, include_synonyms)).collect())
            }
            Err(Refusal { error, message }) => {
                response.with_error_code(error.code()).with_error_message(Some(text(message)))
            }
        }
    };
    DescribeConfigsResponse::default().with_results(request.resources.into_iter().map(describe).collect())
}

fn settings_of(shared: &Shared, resource: &DescribeConfigsResource) -> Result<Vec<Setting>, Refusal> {
    match resource.resource_type {
        TOPIC => match shared.catalogue.topic(&resource.resource_name) {
            Some(topic) => Ok(topic.config.settings()),
            None => Err(Refusal::new(ResponseError::UnknownTopicOrPartition, "there is no such topic")),
        },
        // The broker is configured by the program that it runs in; there is nothing to show here.
        BROKER
            if resource.resource_name.as_str() == NODE_ID.to_string()
                || resource.resource_name.is_empty() =>
        {
            Ok(Vec::new())
        }
        BROKER => Err(Refusal::new(ResponseError::InvalidRequest, "there is only node 1")),
        _ => Err(Refusal::new(ResponseError::InvalidRequest, "only topics and brokers have settings")),
    }
}

fn show(setting: Setting, include_synonyms: bool) -> DescribeConfigsResourceResult {
    let source = source(&setting);
    let (name, value) = (text(setting.name), Some(text(setting.value)));
    let synonym = || {
        DescribeConfigsSynonym::default()
            .with_name(name.clone())
            .with_value(value.clone())
            .with_source(source)
    };
    let synonyms = include_synonyms.then(synonym).into_iter().collect();
    DescribeConfigsResourceResult::default()
        .with_synonyms(synonyms)
        .with_name(name)
        .with_value(value)
        .with_config_source(source)
        .with_config_type(setting.kind as i8)
}

pub(super) async fn alter(
    shared: &Arc<Shared>,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let shared = Arc::clone(shared);
    let validate_only = request.validate_only;
    blocking(move || {
        let alter = |resource: AlterConfigsResource| {
            let response = AlterConfigsResourceResponse::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name.clone());
            match alter_one(&shared, resource, validate_only) {
                Ok(()) => response,
                Err(Refusal { error, message }) => {
                    response.with_error_code(error.code()).with_error_message(Some(text(message)))
                }
            }
        };
        let responses = request.resources.into_iter().map(alter).collect();
        IncrementalAlterConfigsResponse::default().with_responses(responses)
    })
    .await
}

fn alter_one(shared: &Shared, resource: AlterConfigsResource, validate_only: bool) -> Result<(), Refusal> {
    if resource.resource_type != TOPIC {
        return Err(Refusal::new(
            ResponseError::InvalidRequest,
            "only topics have settings that can be changed",
        ));
    }
    let change = |settings: &mut std::collections::BTreeMap<String, String>| {
        for AlterableConfig { name, config_operation, value, .. } in resource.configs {
            match (config_operation, value) {
                (SET, Some(value)) => {
                    settings.insert(name.to_string(), value.to_string());
                }
                (DELETE, _) => {
                    settings.remove(name.as_str());
                }
                (SET, None) => return Err(format!("{} has no value", name.as_str())),
                _ => return Err(format!("{} is not a list", name.as_str())),
            }
        }
        Ok(())
    };
    Ok(shared.catalogue.configure(&resource.resource_name, change, validate_only)?)
}
