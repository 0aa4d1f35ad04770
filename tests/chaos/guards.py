"""What keeps the promises, one line of code each, with the change that takes it away and a test that notices."""

from dataclasses import dataclass

FUNCTIONS = "functions/job_manager"
TABLE = f"{FUNCTIONS}/aws/dynamodb.py"
START_RUN = f"{FUNCTIONS}/steps/start_run.py"
ADVANCE_RUN = f"{FUNCTIONS}/steps/advance_run.py"
STAGES = f"{FUNCTIONS}/steps/stages.py"
RETRY_RUN = f"{FUNCTIONS}/steps/retry_run.py"
RECONCILE = f"{FUNCTIONS}/steps/reconcile.py"
NOTIFY = f"{FUNCTIONS}/steps/notify.py"
REFUSAL = f"{FUNCTIONS}/domain/refusal.py"
DATASET = f"{FUNCTIONS}/domain/dataset.py"
DELAYED = "tests/unit/test_delayed_jobs.py"
RETRY = "tests/unit/test_retry_run.py"
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
        name="a run moves only from the state it was read in (conditional write)",
        file=TABLE,
        text='"#state = :from"',
        mutation='"#state = :from OR attribute_exists(pk)"',
        test="tests/adapters/test_runs.py::test_the_second_to_move_a_run_gets_a_conflict_and_changes_nothing",
    ),
    Guard(
        name="one run at a time (the slot of the open run)",
        file=TABLE,
        text='{"TableName": self._table, "Item": slot, "ConditionExpression": absent}',
        mutation='{"TableName": self._table, "Item": slot}',
        test="tests/adapters/test_runs.py::test_one_run_is_open_at_a_time",
    ),
    Guard(
        name="a run is created once (conditional write)",
        file=TABLE,
        text='"Item": run_item(run), "ConditionExpression": absent}',
        mutation='"Item": run_item(run)}',
        test="tests/adapters/test_runs.py::test_a_run_is_created_once",
    ),
    Guard(
        name="a run replaces only the champion that it was compared with (conditional write)",
        file=TABLE,
        text="{**self._champion_met(run), ",
        mutation='{"TableName": self._table, ',
        test="tests/adapters/test_runs.py::test_a_run_that_beat_another_than_the_champion_gets_a_conflict",
    ),
    Guard(
        name="an upload while a run is being started stays pending (conditional delete)",
        file=TABLE,
        text='"last_at = :seen"',
        mutation='"last_at = :seen OR attribute_exists(pk)"',
        test="tests/adapters/test_runs.py::test_a_pending_change_that_grew_since_it_was_seen_stays",
    ),
    Guard(
        name="a change noted late does not hide a later one (conditional update)",
        file=TABLE,
        text='"attribute_not_exists(last_at) OR last_at < :at"',
        mutation='"attribute_not_exists(last_at) OR attribute_exists(pk)"',
        test="tests/adapters/test_runs.py::test_a_change_noted_late_keeps_the_later_one",
    ),
    Guard(
        name="a trial that ended does not become active again (conditional write)",
        file=TABLE,
        text='"attribute_not_exists(ended)"',
        mutation='"attribute_not_exists(ended) OR attribute_exists(pk)"',
        test="tests/adapters/test_runs.py::test_a_trial_that_ended_is_not_replaced_by_one_in_progress",
    ),
    Guard(
        name="a job whose name is taken already is the run's own (ResourceInUse)",
        file=f"{FUNCTIONS}/aws/sagemaker.py",
        text='if code == "ResourceInUse":',
        mutation='if code == "NeverInUse":',
        test="tests/adapters/test_jobs.py::test_starting_a_job_that_exists_succeeds",
    ),
    Guard(
        name="a job counts only for the run whose name it has (name check)",
        file=f"{FUNCTIONS}/domain/layout.py",
        text="return run_id + PREPARE",
        mutation="import uuid; return run_id + uuid.uuid4().hex + PREPARE",
        test="tests/unit/test_advance_run.py::test_repeated_events_change_nothing",
    ),
    Guard(
        name="a dataset version gets only one run",
        file=START_RUN,
        text="if before and not is_repeated(before, ports, plan) and (before.state is not RunState.REFUSED or reason):",
        mutation="if before and not is_repeated(before, ports, plan) and reason:",
        test="tests/unit/test_start_run.py::test_the_same_version_starts_no_second_run",
    ),
    Guard(
        name="a file that can't be an image is named even if no image is new",
        file=START_RUN,
        text="return run_for_refused_files(snapshot, before, ports, plan)",
        mutation="return None",
        test=f"{FOUND}::test_a_refused_file_is_listed_even_if_no_image_changed",
    ),
    Guard(
        name="the bucket keeps a run as it was first started, even if two wake-ups started it",
        file=START_RUN,
        text="keep_first_snapshot(run.run_id, snapshot, ports)\n            return None",
        mutation="return None",
        test=f"{FOUND}::test_the_bucket_keeps_the_first_snapshot_of_two_wake_ups",
        simulated=False,
    ),
    Guard(
        name="a run above its budget is refused before anything is spent",
        file=f"{FUNCTIONS}/domain/cost.py",
        text="if bound > plan.budget:",
        mutation="if bound > plan.budget < 0:",
        test="tests/unit/test_start_run.py::test_a_run_above_its_budget_is_refused_until_the_budget_is_raised",
        simulated=False,
    ),
    Guard(
        name="a job that SageMaker will never accept ends its run, not all runs",
        file=ADVANCE_RUN,
        text="except (JobRejected, MalformedOutput, NotFound) as error:",
        mutation="except (MalformedOutput, NotFound) as error:",
        test="tests/unit/test_advance_run.py::test_a_job_that_sagemaker_refuses_fails_the_run_with_the_reason",
    ),
    Guard(
        name="output that can't be read ends its run, not all runs",
        file=ADVANCE_RUN,
        text="except (JobRejected, MalformedOutput, NotFound) as error:",
        mutation="except (JobRejected, NotFound) as error:",
        test="tests/unit/test_advance_run.py::test_a_job_with_missing_or_malformed_output_fails_its_run",
    ),
    Guard(
        name="a run that was not compared with the champion does not replace it",
        file=STAGES,
        text="return keep_champion(completed, ports)",
        mutation="return completed",
        test="tests/unit/test_run_after_run.py::test_a_run_not_compared_with_the_champion_does_not_replace_it",
    ),
    Guard(
        name="only a better model replaces the champion",
        file=f"{FUNCTIONS}/domain/result.py",
        text="return (self.accuracy, self.macro_f1) > (self.champion.accuracy, self.champion.macro_f1)",
        mutation="return True",
        test="tests/unit/test_evaluation.py",
    ),
    Guard(
        name="what was uploaded during a run gets a run when that one ends",
        file=ADVANCE_RUN,
        text="    if pending:\n",
        mutation="    if pending and not run:\n",
        test="tests/unit/test_run_after_run.py::test_uploads_during_a_run_start_exactly_one_warm_started_run",
    ),
    Guard(
        name="a run's end is kept in the bucket before anyone is notified",
        file=ADVANCE_RUN,
        text="            keep_record(moved, ports)\n",
        mutation="            pass\n",
        test="tests/unit/test_rebuild.py::test_rebuild_restores_ended_runs_without_sagemakers_jobs",
        simulated=False,
    ),
    Guard(
        name="reconcile advances the open run",
        file=RECONCILE,
        text="advanced = advance_run(run.run_id, ports, rule)",
        mutation="advanced = run",
        test="tests/unit/test_reconcile.py::test_a_dataset_gets_its_model_with_all_events_lost",
    ),
    Guard(
        name="reconcile notices an upload whose event was lost",
        file=RECONCILE,
        text="elif upload_was_missed(ports, plan):",
        mutation="elif False:",
        test="tests/unit/test_reconcile.py::test_a_bucket_that_differs_from_its_last_run_arms_the_timer",
    ),
    Guard(
        name="reconcile sends a lost settle message again",
        file=RECONCILE,
        text="ports.timer.arm(pending, wait)",
        mutation="pass",
        test="tests/unit/test_reconcile.py::test_a_lost_settle_message_is_sent_again_when_due",
    ),
    Guard(
        name="a clock set back during the quiet period delays no run",
        file=START_RUN,
        text="if wait and not (for_the_last and pending.is_ahead_of(now)):",
        mutation="if wait:",
        test=f"{FOUND}::test_a_clock_set_back_in_the_quiet_period_does_not_delay_a_run",
    ),
    Guard(
        name="reconcile sends a lost settle message again even if the clock was set back",
        file=RECONCILE,
        text="if not wait or pending.is_ahead_of(now):",
        mutation="if not wait:",
        test=f"{FOUND}::test_a_lost_wake_up_is_sent_again_after_the_clock_was_set_back",
    ),
    Guard(
        name="a change noted before the clock was set back does not hide a later one",
        file=TABLE,
        text="if known.is_ahead_of(at + CLOCKS_DIFFER):",
        mutation="if known.is_ahead_of(at + CLOCKS_DIFFER) and not known:",
        test=f"{FOUND}::test_an_upload_during_a_start_stays_pending_after_a_clock_change",
    ),
    Guard(
        name="reconcile has notify called again for runs whose e-mail was never sent",
        file=RECONCILE,
        text="ports.runs.remind(run_id, ports.clock.now())",
        mutation="pass",
        test=f"{FOUND}::test_a_mail_is_sent_even_after_the_stream_gave_up",
    ),
    Guard(
        name="an e-mail is sent once (outbox mark)",
        file=NOTIFY,
        text="if ports.bucket.has(mark):",
        mutation="if not mark:",
        test="tests/unit/test_notify.py::test_one_message_is_sent_about_a_run_that_ended",
    ),
    Guard(
        name="the outbox mark is set after the e-mail was sent, not before",
        file=NOTIFY,
        text="    ports.announcer.publish(message)\n    ports.bucket.mark_notified(mark, message)\n",
        mutation="    ports.bucket.mark_notified(mark, message)\n    ports.announcer.publish(message)\n",
        test="tests/unit/test_notify.py::test_a_message_that_could_not_be_sent_leaves_no_mark",
    ),
    Guard(
        name="only the message that can't be read is returned (batch failure report, uploads)",
        file="functions/note_upload.py",
        text='failures.append({"itemIdentifier": record["messageId"]})',
        mutation="pass",
        test="tests/handlers/test_note_upload.py::test_note_upload_returns_a_malformed_message_alone",
    ),
    Guard(
        name="only the event that failed is returned (batch failure report, job states)",
        file="functions/advance_run.py",
        text="return process_partial_response(event, record_handler=advance, processor=processor, context=context)",
        mutation="process_partial_response(event, record_handler=advance, processor=processor, context=context)\n"
        '    return {"batchItemFailures": []}',
        test="tests/handlers/test_advance_run.py::test_advance_run_returns_a_malformed_message_alone",
    ),
    Guard(
        name="a rebuild restores an ended run without the slot of the open run",
        file=f"{FUNCTIONS}/steps/rebuild.py",
        text="run = as_recorded(kept, ports) or as_described(kept, ports)",
        mutation="run = kept",
        test="tests/unit/test_rebuild.py::test_rebuild_restores_ended_runs_while_another_run_is_open",
    ),
    Guard(
        name="only an event nested too deeply is returned",
        file=f"{FUNCTIONS}/aws/events.py",
        text="(msgspec.MsgspecError, RecursionError, UnicodeError)",
        mutation="(msgspec.MsgspecError,)",
        test="tests/chaos/test_hostile.py::test_endless_nesting_is_malformed",
        simulated=False,
    ),
    Guard(
        name="the table is not asked for what can't be a run's name",
        file=TABLE,
        text=" if is_run_id(run_id) else None",
        mutation=" if is_run_id is not None else None",
        test="tests/chaos/test_hostile.py::test_any_api_request_is_answered_with_data_or_a_sentence",
        simulated=False,
    ),
    Guard(
        name="a stopped run starts no other job",
        file=ADVANCE_RUN,
        text="return stopped(run, ports, stage) if asked_to_stop(run, ports) else stage(run, ports)",
        mutation="return stage(run, ports)",
        test="tests/unit/test_stop_run.py::test_a_stopped_run_starts_no_other_job_if_its_job_completes",
    ),
    Guard(
        name="the champion's digest comes from the table (SHA-256)",
        file=STAGES,
        text="ports.runs.get(run.champion_before).model_sha256 if",
        mutation="None if",
        test="tests/unit/test_run_after_run.py::test_the_champions_digest_comes_from_the_table_not_the_bucket",
        simulated=False,
    ),
    Guard(
        name="a month whose budget is spent has no further run",
        file=f"{FUNCTIONS}/domain/cost.py",
        text="if plan.monthly_budget is not None and spent + bound > plan.monthly_budget:",
        mutation="if plan.monthly_budget is not None and spent + bound > plan.monthly_budget < 0:",
        test="tests/unit/test_start_run.py::test_a_run_above_the_monthly_budget_is_refused_until_next_month",
        simulated=False,
    ),
    Guard(
        name="an unsafe label or file name is refused",
        file=DATASET,
        text="reason = next((reason for part in parts[1:] if (reason := name_refusal(part))), None)",
        mutation='reason = ""',
        test="tests/unit/test_dataset.py::test_a_key_that_is_not_an_image_is_refused_and_listed",
    ),
    Guard(
        name="another image under the same key makes another version (etag in the digest)",
        file=DATASET,
        text="{o.key}\\t{o.etag}\\t{o.size}",
        mutation="{o.key}\\t{o.size}",
        test="tests/unit/test_dataset.py::test_the_version_changes_with_any_change_to_the_images",
    ),
    Guard(
        name="an image's pixels decide its side of the split (split by hash)",
        file="training_container/trainer/preparation/dataset.py",
        text="fraction = int(digest[:16], 16) / 2**64",
        mutation="import random; fraction = random.random()",
        test="tests/trainer/test_dataset.py::test_no_image_changes_its_split_as_the_dataset_grows",
        simulated=False,
    ),
    Guard(
        name="equal images are on the same side of the split, whatever their files (hash of the pixels)",
        file="training_container/trainer/decoding/inspection.py",
        text='hashlib.sha256(f"{image.width}x{image.height} RGB\\n".encode())',
        mutation="hashlib.sha256(str(path).encode())",
        test="tests/trainer/test_images.py::test_equal_images_have_equal_digests_in_any_file_format",
        simulated=False,
    ),
    Guard(
        name="an image that takes too long to decode ends its decoder",
        file=WORKER,
        text="signal.setitimer(signal.ITIMER_PROF, self._factor * self._limits.seconds)",
        mutation="signal.setitimer(signal.ITIMER_PROF, 0)",
        test=f"{DECODING}::test_an_image_over_the_time_limit_is_refused_and_others_are_read[PNG of many texts]",
        simulated=False,
    ),
    Guard(
        name="an image that takes too much memory to decode ends its decoder",
        file=WORKER,
        text='if sys.platform == "linux":',
        mutation='if sys.platform == "nowhere":',
        test=f"{DECODING}::test_an_image_over_the_memory_limit_is_refused_and_others_are_read[PNG]",
        simulated=False,
    ),
    Guard(
        name="one command at a time works in a home (an exclusive lock)",
        file="seedbed/local_cloud/home/lock.py",
        text="fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        mutation="fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        test="tests/seedbed/test_home.py::test_a_second_command_waits_for_the_lock_then_is_refused",
        simulated=False,
    ),
    Guard(
        name="a demo clears only a demo's home (the mark)",
        file="seedbed/local_cloud/home/demo.py",
        text='if entries and not (mark and mark.kind == "demo"):',
        mutation="if entries and not mark:",
        test="tests/seedbed/test_home.py::test_no_demo_clears_a_home_that_became_the_users_own",
        simulated=False,
    ),
    Guard(
        name="a demo's home with images of the user's is moved, not deleted",
        file="seedbed/local_cloud/home/demo.py",
        text="uploaded_keys(home.path) - set(mark.drawn)",
        mutation="set(mark.drawn) - uploaded_keys(home.path)",
        test="tests/seedbed/test_home.py::test_a_demos_home_with_user_images_is_moved_not_deleted",
        simulated=False,
    ),
    Guard(
        name="jobs see only allowed and named environment variables",
        file="seedbed/local_cloud/passed_environment.py",
        text="if name in names or name.startswith(FAMILIES)",
        mutation="if name",
        test="tests/seedbed/test_passed_environment.py::test_what_jobs_need_reaches_them_and_secrets_do_not",
        simulated=False,
    ),
    Guard(
        name="a request counts only if its signature is right",
        file=SIGNATURE,
        text="if failure and not self._signed_as_sent(body):",
        mutation="if failure and not self.secret:",
        test=f"{SIGNATURE_TESTS}::test_a_request_changed_after_signing_is_refused",
        simulated=False,
    ),
    Guard(
        name="a body counts only if it is the signed one",
        file=SIGNATURE,
        text="if self.body_digest and not hmac.compare_digest(",
        mutation="if self.body_digest is None and not hmac.compare_digest(",
        test="tests/local_cloud/test_gate.py::test_a_body_other_than_the_signed_one_is_refused",
        simulated=False,
    ),
    Guard(
        name="no web page's request is answered, even if it is signed",
        file="seedbed/local_cloud/access/gate.py",
        text="if foreign or site not in OWN_PAGES or not is_local",
        mutation="if foreign or not is_local",
        test="tests/local_cloud/test_gate.py::test_a_signed_request_from_another_site_is_refused",
        simulated=False,
    ),
    Guard(
        name="the emulator's public keys are refused",
        file="seedbed/local_cloud/access/keys.py",
        text="if iam_evaluator.is_root_access_key(key):\n            return None",
        mutation="if iam_evaluator.is_root_access_key(key):\n            return home.secret_key if token else 'test'",
        test="tests/local_cloud/test_gate.py::test_a_key_not_issued_by_the_home_is_refused",
        simulated=False,
    ),
    Guard(
        name="a run whose job is refused for hours ends, and frees the next",
        file=ADVANCE_RUN,
        text="if delay.is_over(now):",
        mutation="if not delay:",
        test=f"{DELAYED}::test_a_run_that_waited_too_long_fails_and_frees_the_next",
        simulated=False,
    ),
    Guard(
        name="causes that alternate do not begin the wait again",
        file=ADVANCE_RUN,
        text="min(run.delay.since, now) if run.delay else now)",
        mutation="min(run.delay.since, now) if run.delay and run.delay.cause is error.cause else now)",
        test=f"{DELAYED}::test_causes_that_alternate_do_not_make_a_run_wait_longer",
        simulated=False,
    ),
    Guard(
        name="a quota that is smaller than what the job asks for ends the run at once",
        file=REFUSAL,
        text="if wanted <= limit:",
        mutation="if wanted:",
        test=f"{DELAYED}::test_a_quota_smaller_than_the_job_never_passes",
        simulated=False,
    ),
    Guard(
        name="people are told of a run that waits",
        file=RECONCILE,
        text="notify_of_delay(advanced, ports)",
        mutation="pass",
        test=f"{DELAYED}::test_people_are_told_once_and_not_at_the_first_refusal",
        simulated=False,
    ),
    Guard(
        name="people are told of a run that waits only after some minutes",
        file=REFUSAL,
        text="return now - self.since >= NOTICE_AFTER",
        mutation="return True",
        test=f"{DELAYED}::test_people_are_told_once_and_not_at_the_first_refusal",
        simulated=False,
    ),
    Guard(
        name="a refused warm start starts without it",
        file=STAGES,
        text="        if not known:\n",
        mutation="        if error:\n",
        test=f"{DELAYED}::test_a_refused_warm_start_starts_without_it",
        simulated=False,
    ),
    Guard(
        name="a run that failed gets another attempt under another plan",
        file=RETRY_RUN,
        text="not run.plan.does_the_same(plan)",
        mutation="run.plan is None",
        test=f"{RETRY}::test_a_failed_run_is_repeated_once_under_another_plan",
        simulated=False,
    ),
    Guard(
        name="a changed price or budget repeats no run",
        file=f"{FUNCTIONS}/domain/plan.py",
        text="return self._without_money() == other._without_money()",
        mutation="return self == other",
        test=f"{RETRY}::test_a_failed_run_is_repeated_once_under_another_plan",
        simulated=False,
    ),
    Guard(
        name="a request to repeat a run outlasts its wake-up (the mark)",
        file=RETRY_RUN,
        text="ports.bucket.ask_to_retry(run_id, ports.clock.now())",
        mutation="pass",
        test=f"{RETRY}::test_a_retry_survives_the_loss_of_its_wake_up_and_of_the_table",
        simulated=False,
    ),
    Guard(
        name="only the latest run of the images is repeated",
        file=RETRY_RUN,
        text="if last and last.created_at > run.created_at:",
        mutation="if last and not run:",
        test=f"{RETRY}::test_only_the_latest_run_is_repeated",
        simulated=False,
    ),
    Guard(
        name="a fault of SageMaker is tried again only once",
        file=STAGES,
        text="again = run.repeats < AFTER_A_FAULT_OF_AWS",
        mutation="again = run.repeats < 1000 * AFTER_A_FAULT_OF_AWS",
        test=f"{RETRY}::test_a_fault_of_sagemaker_is_tried_again_once",
        simulated=False,
    ),
    Guard(
        name="a warm start's parents and their training jobs stay within AMT's limit",
        file=START_RUN,
        text=" and jobs + run.plan.trials <= WARM_START_JOBS:",
        mutation=" and jobs < 1000 * WARM_START_JOBS:",
        test=f"{RETRY}::test_the_jobs_of_parents_count_towards_amts_limit",
        simulated=False,
    ),
)
