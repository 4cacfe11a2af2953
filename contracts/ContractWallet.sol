// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271, SignatureCheck} from "./SignatureCheck.sol";

/// The smallest contract wallet: it accepts what its owner signed. For trying how payments treat ERC-1271 payers.
contract ContractWallet is IERC1271 {
    address public owner;

    function claim(address newOwner) external {
        require(owner == address(0), "ContractWallet: already owned");
        owner = newOwner;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        return SignatureCheck.recover(digest, signature) == owner ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
