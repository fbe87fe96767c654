import pytest

pytest.register_assert_rewrite("helpers.communicator_contract")
