"""The catalogue of faults. Each is a function of a Scene: it makes trouble and does what an operator would do about it.

What customers were promised, and what the sites hold in the end, is judged by the driver, the same for all.
"""

import faults_of_changes as changes
import faults_of_halves as halves
import faults_of_lines as lines
import faults_of_nodes as nodes
import faults_of_sites as sites

CATALOGUE = {
    each.__name__.replace("_", "-"): each
    for each in (
        sites.power_loss,
        sites.power_loss_unattended,
        sites.power_loss_without_hq,
        sites.power_loss_without_region,
        sites.recovery_lost,
        sites.recovery_then_primary_lost,
        sites.crashed_database,
        sites.crashed_database_then_power_loss,
        sites.dead_api_failover,
        sites.full_disk,
        sites.frozen_agent,
        lines.isolation,
        lines.partition,
        lines.one_way_cut,
        lines.cut_from_witness,
        lines.cut_from_peer,
        lines.lossy_line,
        lines.slow_line,
        lines.ended_certificate,
        changes.planned,
        changes.planned_with_dead_authority,
        changes.killed_runbook,
        changes.killed_runbook_any_time,
        changes.two_operators,
        changes.there_and_back,
        changes.stale_up,
        changes.wrong_password,
    )
} | {f"killed-{name}": sites.killed(pattern) for name, pattern in sites.COMPONENTS.items()}
OF_NODES = {
    each.__name__.replace("_", "-"): each
    for each in (
        nodes.node_with_primary_lost,
        nodes.node_lost_then_site,
        nodes.partition_inside_site,
        nodes.silent_node_failover,
        halves.passive_cut_in_two,
        halves.flapping_inside_passive,
        halves.api_of_active_away,
        halves.api_of_passive_away,
        halves.further_node_without_witness,
        halves.restarted_node_agent,
    )
}
"""Only for sites of several nodes; by name, as a lab of one has none of them."""
PROOFS = {
    "partition-without-fence": lines.partition_without_fence,
    "partition-without-node-fence": nodes.partition_without_node_fence,
    "passive-cut-in-two-without-fence": halves.passive_cut_in_two_without_fence,
}
"""Never drawn by chance: each has to be found out by a checker."""
