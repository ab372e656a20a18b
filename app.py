"""CDK's entry: `cdk deploy -c stage=dev --all`, or what the Makefile makes of it."""

from cdk.platform import main

if __name__ == "__main__":
    main()
