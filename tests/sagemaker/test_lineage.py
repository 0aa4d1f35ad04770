"""Artifacts and their associations, as the SDK's Run makes them of the charts that it logs."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sagemaker.toy_endpoint import Endpoint

CHART: dict[str, Any] = {
    "SourceUri": "s3://bucket/chart.json",
    "SourceTypes": [{"SourceIdType": "S3ETag", "Value": "1"}],
}


def code_of(call: Any, **asked: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**asked)
    return str(error.value.response["Error"]["Code"])


@pytest.fixture
def arns(endpoint: Endpoint) -> Any:
    """Those of a trial component and of an artifact, which are gone afterwards."""
    client = endpoint.sagemaker
    component = client.create_trial_component(TrialComponentName="charted")["TrialComponentArn"]
    tags = [{"Key": "of", "Value": "chart"}]
    artifact = client.create_artifact(ArtifactName="matrix", ArtifactType="ConfusionMatrix", Source=CHART, Tags=tags)
    yield component, artifact["ArtifactArn"]
    for each in client.list_associations(SourceArn=component)["AssociationSummaries"]:
        client.delete_association(SourceArn=each["SourceArn"], DestinationArn=each["DestinationArn"])
    client.delete_artifact(Source=CHART)
    client.delete_trial_component(TrialComponentName="charted")


def test_an_artifact_is_described_listed_tagged_and_one_of_its_source(endpoint: Endpoint, arns: Any) -> None:
    client, (_, artifact) = endpoint.sagemaker, arns

    found = client.describe_artifact(ArtifactArn=artifact)
    assert (found["ArtifactName"], found["ArtifactType"], found["Source"]) == ("matrix", "ConfusionMatrix", CHART)
    assert client.list_tags(ResourceArn=artifact)["Tags"] == [{"Key": "of", "Value": "chart"}]
    listed = client.list_artifacts(SourceUri=CHART["SourceUri"])["ArtifactSummaries"]
    assert [(each["ArtifactArn"], each["ArtifactName"]) for each in listed] == [(artifact, "matrix")]
    assert client.list_artifacts(ArtifactType="Model")["ArtifactSummaries"] == []
    with pytest.raises(ClientError, match="already exists"):
        client.create_artifact(ArtifactType="Other", Source=CHART)
    assert code_of(client.describe_artifact, ArtifactArn=artifact[:-4] + "0000") == "ResourceNotFound"


def test_what_a_component_produced_is_associated_with_it_once(endpoint: Endpoint, arns: Any) -> None:
    client, (component, artifact) = endpoint.sagemaker, arns
    ends = {"SourceArn": component, "DestinationArn": artifact}

    assert client.add_association(**ends, AssociationType="Produced")["DestinationArn"] == artifact
    [found] = client.list_associations(SourceArn=component)["AssociationSummaries"]
    assert ends.items() <= found.items()
    assert (found["AssociationType"], found["DestinationType"]) == ("Produced", "ConfusionMatrix")
    assert found["DestinationName"] == "matrix"
    assert client.list_associations(DestinationArn=component)["AssociationSummaries"] == []
    with pytest.raises(ClientError, match="already exists"):
        client.add_association(**ends)
    assert code_of(client.delete_artifact, ArtifactArn=artifact) == "ValidationException"
    nowhere = {**ends, "DestinationArn": artifact[:-4] + "0000"}
    assert code_of(client.add_association, **nowhere) == "ResourceNotFound"
    assert code_of(client.delete_association, **nowhere) == "ResourceNotFound"


def test_a_jobs_component_can_be_associated_too(endpoint: Endpoint, arns: Any) -> None:
    client, (_, artifact) = endpoint.sagemaker, arns
    endpoint.train("produces")
    endpoint.ended("training", "produces")
    component = client.describe_trial_component(TrialComponentName="produces-aws-training-job")["TrialComponentArn"]

    client.add_association(SourceArn=component, DestinationArn=artifact, AssociationType="Produced")

    [found] = client.list_associations(DestinationArn=artifact)["AssociationSummaries"]
    assert found["SourceArn"] == component
    client.delete_association(SourceArn=component, DestinationArn=artifact)
