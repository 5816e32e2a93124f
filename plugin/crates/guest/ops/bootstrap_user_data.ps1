#ps1_sysnative
# @@RESEAL_VALUES@@
