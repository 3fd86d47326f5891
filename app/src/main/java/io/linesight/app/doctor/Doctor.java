package io.linesight.app.doctor;

import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.streams.config.InspectionConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Checks a cluster, a registry and this machine, and says what is wrong and how to fix it. Changes nothing but
 * temporary files, which it removes again. Checks are independent: one that fails says why, and the others still run.
 * Ends within the timeout, whatever hangs.
 *
 * <p>Use once, from one thread.
 */
public final class Doctor {
    private final DoctorOptions options;
    private final Needs needs;
    private final List<CheckResult> results = new ArrayList<>();
    private volatile @Nullable Principal principal;

    public Doctor(DoctorOptions options) {
        this.options = options;
        needs = Needs.of(
                options.part(),
                options.topics(),
                options.follows(),
                !"off".equals(options.settings().get(InspectionConfig.ALERTS)),
                options.applicationId(),
                options.trainerGroup());
    }

    /** The commands that give a principal the least that is needed; comments begin with {@code #}. */
    public List<String> aclCommands() {
        // A token that could not be fetched before would only take time again.
        Principal found = principal == null ? Principal.of(options.settings(), false) : principal;
        List<String> commands = new ArrayList<>();
        if (!found.isKnown())
            commands.add("# Put the principal in the place of " + Principal.UNKNOWN + ": " + found.source());
        commands.addAll(needs.commands(options.bootstrap(), found.name()));
        return commands;
    }

    /** Runs all checks; {@code listener} gets each result as it comes. */
    public List<CheckResult> run(Consumer<CheckResult> listener) {
        long begin = System.nanoTime();
        long deadline = begin + options.timeout().toNanos();
        // A native library or a socket that hangs must not keep the process.
        ExecutorService threads = Executors.newCachedThreadPool(DaemonThreads.factory("linesight-doctor"));
        Run run = new Run(threads, result -> {
            results.add(result);
            listener.accept(result);
        });
        ClusterChecks cluster = new ClusterChecks(options, needs, this::principal);
        RegistryChecks registry = new RegistryChecks(options, needs);
        MachineChecks machine = new MachineChecks(options);
        try {
            run.check("settings", new SettingsFindings(options), deadline);
            // At most half the time, so that the other checks run beside a silent broker.
            long brokerDeadline = begin + options.timeout().toNanos() / 2;
            boolean broker = run.check("broker", new BrokerCheck(options), brokerDeadline);
            run.checkOnCluster(broker, "topics", cluster::topics, deadline);
            run.checkOnCluster(broker, "rights", cluster::rights, deadline);
            run.checkOnCluster(broker, "group", cluster::group, deadline);
            run.check("registry", registry::schemas, deadline);
            run.check("clock", registry::clock, deadline);
            run.check("natives", machine::natives, deadline);
            run.check("device", machine::device, deadline);
            run.check("folders", machine::folders, deadline);
            // Last, because it may fetch a lot: with too little time for it, the others have had theirs.
            Check models = found ->
                    ModelCheck.of(options, cluster.existing(), deadline).run(found);
            run.checkOnCluster(broker, "models", models, deadline);
        } finally {
            threads.shutdownNow();
        }
        return List.copyOf(results);
    }

    private Principal principal() {
        Principal found = Principal.of(options.settings(), true);
        principal = found;
        return found;
    }

    private record Run(ExecutorService threads, Consumer<CheckResult> results) {
        void checkOnCluster(boolean broker, String name, Check check, long deadline) {
            if (broker) check(name, check, deadline);
            else results.accept(CheckResult.skipped(name, "the broker cannot be used"));
        }

        /** @return whether the check passed */
        boolean check(String name, Check check, long deadline) {
            List<Finding> found = new ArrayList<>();
            Future<String> running = threads.submit(() -> check.run(found));
            CheckResult result = await(name, running, found, deadline);
            results.accept(result);
            return result.passed();
        }

        private static CheckResult await(String name, Future<String> running, List<Finding> found, long deadline) {
            try {
                long left = Math.max(1, deadline - System.nanoTime());
                return CheckResult.completed(name, running.get(left, TimeUnit.NANOSECONDS), found);
            } catch (TimeoutException e) {
                running.cancel(true);
                return CheckResult.failed(name, List.of(), "no answer within the time that --timeout leaves it");
            } catch (ExecutionException e) {
                return e.getCause() instanceof Check.NotApplicable reason
                        ? CheckResult.skipped(name, reason.getMessage())
                        : CheckResult.failed(name, found, "it failed: " + e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return CheckResult.failed(name, List.of(), "interrupted");
            }
        }
    }

    /** Whether nothing that was found stops Linesight, and no check failed. */
    public static boolean healthy(List<CheckResult> results) {
        return results.stream().noneMatch(r -> r.stops() || r.status() == CheckResult.Status.FAILED);
    }
}
