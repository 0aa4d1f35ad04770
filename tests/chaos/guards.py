"""What keeps the promises, one line of code each, with the change that takes it away and a test that notices."""

from dataclasses import dataclass

FUNCTIONS = "functions/job_manager"
TABLE = f"{FUNCTIONS}/aws/dynamodb.py"
START_RUN = f"{FUNCTIONS}/steps/start_run.py"
ADVANCE_RUN = f"{FUNCTIONS}/steps/advance_run.py"
STAGES = f"{FUNCTIONS}/steps/stages.py"
RECONCILE = f"{FUNCTIONS}/steps/reconcile.py"
NOTIFY = f"{FUNCTIONS}/steps/notify.py"
DATASET = f"{FUNCTIONS}/domain/dataset.py"
FOUND = "tests/chaos/test_found.py"
SIGNATURE = "seedbed/local_cloud/access/signature.py"
SIGNATURE_TESTS = "tests/local_cloud/test_signature.py"
WORKER = "training_container/trainer/decoding/worker.py"
DECODING = "tests/trainer/test_decoding.py"


@dataclass(frozen=True)
class Guard:
    """`mutation` in place of `text`, which `file` has once, takes it away; `simulated`: the simulation could notice."""

    name: str
    file: str
    text: str
    mutation: str
    test: str
    simulated: bool = True


GUARDS = (
    Guard(
        "a run moves only from the state it was read in (conditional write)",
        TABLE,
        '"#state = :from"',
        '"#state = :from OR attribute_exists(pk)"',
        "tests/adapters/test_runs.py::test_the_second_to_move_a_run_gets_a_conflict_and_changes_nothing",
    ),
    Guard(
        "one run at a time (the slot of the open run)",
        TABLE,
        '{"TableName": self._table, "Item": slot, "ConditionExpression": absent}',
        '{"TableName": self._table, "Item": slot}',
        "tests/adapters/test_runs.py::test_one_run_is_open_at_a_time",
    ),
    Guard(
        "a run is created once (conditional write)",
        TABLE,
        '"Item": run_item(run), "ConditionExpression": absent}',
        '"Item": run_item(run)}',
        "tests/adapters/test_runs.py::test_a_run_is_created_once",
    ),
    Guard(
        "a run replaces only the champion that it was compared with (conditional write)",
        TABLE,
        "{**self._champion_met(run), ",
        '{"TableName": self._table, ',
        "tests/adapters/test_runs.py::test_a_run_that_beat_another_than_the_champion_gets_a_conflict",
    ),
    Guard(
        "an upload while a run is being started stays pending (conditional delete)",
        TABLE,
        '"last_at = :seen"',
        '"last_at = :seen OR attribute_exists(pk)"',
        "tests/adapters/test_runs.py::test_a_pending_change_that_grew_since_it_was_seen_stays",
    ),
    Guard(
        "a change noted late does not hide a later one (conditional update)",
        TABLE,
        '"attribute_not_exists(last_at) OR last_at < :at"',
        '"attribute_not_exists(last_at) OR attribute_exists(pk)"',
        "tests/adapters/test_runs.py::test_a_change_noted_late_keeps_the_later_one",
    ),
    Guard(
        "a trial that ended does not become active again (conditional write)",
        TABLE,
        '"attribute_not_exists(ended)"',
        '"attribute_not_exists(ended) OR attribute_exists(pk)"',
        "tests/adapters/test_runs.py::test_a_trial_that_ended_is_not_replaced_by_one_in_progress",
    ),
    Guard(
        "a job whose name is taken already is the run's own (ResourceInUse)",
        f"{FUNCTIONS}/aws/sagemaker.py",
        'if code == "ResourceInUse":',
        'if code == "NeverInUse":',
        "tests/adapters/test_jobs.py::test_starting_a_job_that_exists_succeeds",
    ),
    Guard(
        "a job counts only for the run whose name it has (name check)",
        f"{FUNCTIONS}/domain/layout.py",
        "return run_id + PREPARE",
        "import uuid; return run_id + uuid.uuid4().hex + PREPARE",
        "tests/unit/test_advance_run.py::test_repeated_events_change_nothing",
    ),
    Guard(
        "a dataset version gets only one run",
        START_RUN,
        "if before and not before.begins_again and (before.state is not RunState.REFUSED or reason):",
        "if before and not before.begins_again and reason:",
        "tests/unit/test_start_run.py::test_the_same_version_starts_no_second_run",
    ),
    Guard(
        "a file that can't be an image is named even if no image is new",
        START_RUN,
        "return run_for_refused_files(snapshot, before, ports, plan)",
        "return None",
        f"{FOUND}::test_a_refused_file_is_listed_even_if_no_image_changed",
    ),
    Guard(
        "the bucket keeps a run as it was first started, even if two wake-ups started it",
        START_RUN,
        "keep_first_snapshot(run.run_id, snapshot, ports)\n            return None",
        "return None",
        f"{FOUND}::test_the_bucket_keeps_the_first_snapshot_of_two_wake_ups",
        simulated=False,
    ),
    Guard(
        "a run above its budget is refused before anything is spent",
        f"{FUNCTIONS}/domain/cost.py",
        "if bound > plan.budget:",
        "if bound > plan.budget < 0:",
        "tests/unit/test_start_run.py::test_a_run_above_its_budget_is_refused_until_the_budget_is_raised",
        simulated=False,
    ),
    Guard(
        "a job that SageMaker will never accept ends its run, not all runs",
        ADVANCE_RUN,
        "except (JobRejected, MalformedOutput, NotFound) as error:",
        "except (MalformedOutput, NotFound) as error:",
        "tests/unit/test_advance_run.py::test_a_job_that_sagemaker_refuses_fails_the_run_with_the_reason",
    ),
    Guard(
        "output that can't be read ends its run, not all runs",
        ADVANCE_RUN,
        "except (JobRejected, MalformedOutput, NotFound) as error:",
        "except (JobRejected, NotFound) as error:",
        "tests/unit/test_advance_run.py::test_a_job_with_missing_or_malformed_output_fails_its_run",
    ),
    Guard(
        "a run that was not compared with the champion does not replace it",
        STAGES,
        "return keep_champion(completed, ports)",
        "return completed",
        "tests/unit/test_run_after_run.py::test_a_run_not_compared_with_the_champion_does_not_replace_it",
    ),
    Guard(
        "only a better model replaces the champion",
        f"{FUNCTIONS}/domain/result.py",
        "return (self.accuracy, self.macro_f1) > (self.champion.accuracy, self.champion.macro_f1)",
        "return True",
        "tests/unit/test_evaluation.py",
    ),
    Guard(
        "what was uploaded during a run gets a run when that one ends",
        ADVANCE_RUN,
        "    if pending:\n",
        "    if pending and not run:\n",
        "tests/unit/test_run_after_run.py::test_uploads_during_a_run_start_exactly_one_warm_started_run",
    ),
    Guard(
        "a run's end is kept in the bucket before anyone is notified",
        ADVANCE_RUN,
        "            keep_record(moved, ports)\n",
        "            pass\n",
        "tests/unit/test_rebuild.py::test_rebuild_restores_ended_runs_without_sagemakers_jobs",
        simulated=False,
    ),
    Guard(
        "reconcile advances the open run",
        RECONCILE,
        "return advance_run(run.run_id, ports, rule)",
        "return run",
        "tests/unit/test_reconcile.py::test_a_dataset_gets_its_model_with_all_events_lost",
    ),
    Guard(
        "reconcile notices an upload whose event was lost",
        RECONCILE,
        "elif upload_was_missed(ports, plan):",
        "elif False:",
        "tests/unit/test_reconcile.py::test_a_bucket_that_differs_from_its_last_run_arms_the_timer",
    ),
    Guard(
        "reconcile sends a lost settle message again",
        RECONCILE,
        "ports.timer.arm(pending, wait)",
        "pass",
        "tests/unit/test_reconcile.py::test_a_lost_settle_message_is_sent_again_when_due",
    ),
    Guard(
        "a clock set back during the quiet period delays no run",
        START_RUN,
        "if wait and not (for_the_last and pending.is_ahead_of(now)):",
        "if wait:",
        f"{FOUND}::test_a_clock_set_back_in_the_quiet_period_does_not_delay_a_run",
    ),
    Guard(
        "reconcile sends a lost settle message again even if the clock was set back",
        RECONCILE,
        "if not wait or pending.is_ahead_of(now):",
        "if not wait:",
        f"{FOUND}::test_a_lost_wake_up_is_sent_again_after_the_clock_was_set_back",
    ),
    Guard(
        "a change noted before the clock was set back does not hide a later one",
        TABLE,
        "if known.is_ahead_of(at + CLOCKS_DIFFER):",
        "if known.is_ahead_of(at + CLOCKS_DIFFER) and not known:",
        f"{FOUND}::test_an_upload_during_a_start_stays_pending_after_a_clock_change",
    ),
    Guard(
        "reconcile has notify called again for runs whose e-mail was never sent",
        RECONCILE,
        "ports.runs.remind(run_id, ports.clock.now())",
        "pass",
        f"{FOUND}::test_a_mail_is_sent_even_after_the_stream_gave_up",
    ),
    Guard(
        "an e-mail is sent once (outbox mark)",
        NOTIFY,
        "if not ports.bucket.has(layout.notified(run.run_id)):",
        "if run:",
        "tests/unit/test_notify.py::test_one_message_is_sent_about_a_run_that_ended",
    ),
    Guard(
        "the outbox mark is set after the e-mail was sent, not before",
        NOTIFY,
        "    ports.announcer.publish(message)\n        ports.bucket.mark_notified(run.run_id, message)\n",
        "    ports.bucket.mark_notified(run.run_id, message)\n        ports.announcer.publish(message)\n",
        "tests/unit/test_notify.py::test_a_message_that_could_not_be_sent_leaves_no_mark",
    ),
    Guard(
        "only the message that can't be read is returned (batch failure report, uploads)",
        "functions/note_upload.py",
        'failures.append({"itemIdentifier": record["messageId"]})',
        "pass",
        "tests/handlers/test_note_upload.py::test_note_upload_returns_a_malformed_message_alone",
    ),
    Guard(
        "only the event that failed is returned (batch failure report, job states)",
        "functions/advance_run.py",
        "return process_partial_response(event, record_handler=advance, processor=processor, context=context)",
        "process_partial_response(event, record_handler=advance, processor=processor, context=context)\n"
        '    return {"batchItemFailures": []}',
        "tests/handlers/test_advance_run.py::test_advance_run_returns_a_malformed_message_alone",
    ),
    Guard(
        "a rebuild needs no slot for a run that has ended",
        f"{FUNCTIONS}/steps/rebuild.py",
        "run = as_recorded(kept, ports) or as_described(kept, ports)",
        "run = kept",
        "tests/unit/test_rebuild.py::test_rebuild_restores_ended_runs_while_another_run_is_open",
    ),
    Guard(
        "only an event nested too deeply is returned",
        f"{FUNCTIONS}/aws/events.py",
        "(msgspec.MsgspecError, RecursionError, UnicodeError)",
        "(msgspec.MsgspecError,)",
        "tests/chaos/test_hostile.py::test_endless_nesting_is_malformed",
        simulated=False,
    ),
    Guard(
        "the table is not asked for what can't be a run's name",
        TABLE,
        " if is_run_id(run_id) else None",
        " if is_run_id is not None else None",
        "tests/chaos/test_hostile.py::test_any_api_request_is_answered_with_data_or_a_sentence",
        simulated=False,
    ),
    Guard(
        "a stopped run starts no other job",
        ADVANCE_RUN,
        "return stopped(run, ports, stage) if asked_to_stop(run, ports) else stage(run, ports)",
        "return stage(run, ports)",
        "tests/unit/test_stop_run.py::test_a_stopped_run_starts_no_other_job_if_its_job_completes",
    ),
    Guard(
        "the champion's digest comes from the table (SHA-256)",
        STAGES,
        "ports.runs.get(run.champion_before).model_sha256 if",
        "None if",
        "tests/unit/test_run_after_run.py::test_the_champions_digest_comes_from_the_table_not_the_bucket",
        simulated=False,
    ),
    Guard(
        "a month whose budget is spent has no further run",
        f"{FUNCTIONS}/domain/cost.py",
        "if plan.monthly_budget is not None and spent + bound > plan.monthly_budget:",
        "if plan.monthly_budget is not None and spent + bound > plan.monthly_budget < 0:",
        "tests/unit/test_start_run.py::test_a_run_above_the_monthly_budget_is_refused_until_next_month",
        simulated=False,
    ),
    Guard(
        "a name that no file system can hold is refused",
        DATASET,
        "if not all(is_safe_name(part) for part in parts):",
        "if not parts:",
        "tests/unit/test_dataset.py::test_a_key_that_is_not_an_image_is_refused_and_listed",
    ),
    Guard(
        "another image under the same key makes another version (etag in the digest)",
        DATASET,
        "{o.key}\\t{o.etag}\\t{o.size}",
        "{o.key}\\t{o.size}",
        "tests/unit/test_dataset.py::test_the_version_changes_with_any_change_to_the_images",
    ),
    Guard(
        "an image's pixels decide its side of the split (split by hash)",
        "training_container/trainer/preparation/dataset.py",
        "fraction = int(digest[:16], 16) / 2**64",
        "import random; fraction = random.random()",
        "tests/trainer/test_dataset.py::test_no_image_changes_its_split_as_the_dataset_grows",
        simulated=False,
    ),
    Guard(
        "equal images are on the same side of the split, whatever their files (hash of the pixels)",
        "training_container/trainer/decoding/inspection.py",
        'hashlib.sha256(f"{image.width}x{image.height} RGB\\n".encode())',
        "hashlib.sha256(str(path).encode())",
        "tests/trainer/test_images.py::test_equal_images_have_equal_digests_in_any_file_format",
        simulated=False,
    ),
    Guard(
        "an image that takes too long to decode ends its decoder",
        WORKER,
        "signal.setitimer(signal.ITIMER_PROF, self._factor * self._limits.seconds)",
        "signal.setitimer(signal.ITIMER_PROF, 0)",
        f"{DECODING}::test_an_image_over_the_time_limit_is_refused_and_others_are_read[PNG of many texts]",
        simulated=False,
    ),
    Guard(
        "an image that takes too much memory to decode ends its decoder",
        WORKER,
        "_limit_memory(limits.memory)",
        "pass",
        f"{DECODING}::test_an_image_over_the_memory_limit_is_refused_and_others_are_read[PNG]",
        simulated=False,
    ),
    Guard(
        "one command at a time works in a home (an exclusive lock)",
        "seedbed/local_cloud/home/lock.py",
        "fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        "tests/seedbed/test_home.py::test_a_second_command_waits_for_the_lock_then_is_refused",
        simulated=False,
    ),
    Guard(
        "a demo clears only a demo's home (the mark)",
        "seedbed/local_cloud/home/demo.py",
        'if entries and not (mark and mark.kind == "demo"):',
        "if entries and not mark:",
        "tests/seedbed/test_home.py::test_no_demo_clears_a_home_that_became_the_users_own",
        simulated=False,
    ),
    Guard(
        "a demo's home with images of the user's is moved, not deleted",
        "seedbed/local_cloud/home/demo.py",
        "uploaded_keys(home.path) - set(mark.drawn)",
        "set(mark.drawn) - uploaded_keys(home.path)",
        "tests/seedbed/test_home.py::test_a_demos_home_with_user_images_is_moved_not_deleted",
        simulated=False,
    ),
    Guard(
        "jobs see only allowed and named environment variables",
        "seedbed/local_cloud/passed_environment.py",
        "if name in names or name.startswith(FAMILIES)",
        "if name",
        "tests/seedbed/test_passed_environment.py::test_what_jobs_need_reaches_them_and_secrets_do_not",
        simulated=False,
    ),
    Guard(
        "a request counts only if its signature is right",
        SIGNATURE,
        "if failure and not self._signed_as_sent(body):",
        "if failure and not self.secret:",
        f"{SIGNATURE_TESTS}::test_a_request_changed_after_signing_is_refused",
        simulated=False,
    ),
    Guard(
        "a body counts only if it is the signed one",
        SIGNATURE,
        "if self.body_digest and not hmac.compare_digest(",
        "if self.body_digest is None and not hmac.compare_digest(",
        "tests/local_cloud/test_gate.py::test_a_body_other_than_the_signed_one_is_refused",
        simulated=False,
    ),
    Guard(
        "no web page's request is answered, even if it is signed",
        "seedbed/local_cloud/access/gate.py",
        "if foreign or site not in OWN_PAGES or not is_local",
        "if foreign or not is_local",
        "tests/local_cloud/test_gate.py::test_a_signed_request_from_another_site_is_refused",
        simulated=False,
    ),
    Guard(
        "the emulator's public keys are refused",
        "seedbed/local_cloud/access/keys.py",
        "if iam_evaluator.is_root_access_key(key):\n            return None",
        "if iam_evaluator.is_root_access_key(key):\n            return home.secret_key if token else 'test'",
        "tests/local_cloud/test_gate.py::test_a_key_not_issued_by_the_home_is_refused",
        simulated=False,
    ),
)
