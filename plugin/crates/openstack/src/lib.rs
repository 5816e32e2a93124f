//! Keystone, Nova, Glance, Cinder and Neutron as far as Reseal needs them, with NHN Cloud as a dialect.
