//! What is proven, in this order.

mod other_links;
mod reload;
mod rxe;
mod states;
mod subnet;
mod traffic;

use crate::lab::Lab;

/// It panics where railtop is wrong.
pub(crate) type Proof = fn(&mut Lab);

/// Name and proof.
pub(crate) const ALL: &[(&str, Proof)] = &[
    ("states::every_state_of_a_port", states::every_state_of_a_port),
    ("states::names_partitions_and_modes", states::names_partitions_and_modes),
    ("subnet::one_subnet_on_two_rails_is_mended", subnet::one_subnet_on_two_rails_is_mended),
    ("traffic::rates_are_those_of_the_counters", traffic::rates_are_those_of_the_counters),
    ("traffic::full_and_reset_counters", traffic::full_and_reset_counters),
    ("reload::drivers_come_and_go", reload::drivers_come_and_go),
    ("rxe::traffic_of_the_right_rail", rxe::traffic_of_the_right_rail),
    ("other_links::a_bond_of_rails", other_links::a_bond_of_rails),
    ("other_links::vrf_vlan_and_macvlan", other_links::vrf_vlan_and_macvlan),
];
