using System.Runtime.CompilerServices;
using LightTts.Torch;

namespace LightTts.Tests.Support;

/// <summary>Loads libtorch before any test touches it, so that tests of the model rooms need no set-up of their own.</summary>
internal static class TorchSetup
{
    [ModuleInitializer]
    public static void Load()
    {
        if (ChildProcess.IsChild)
            return;
        TorchRuntime.EnsureLoaded(TestDevice.Natives);
        TorchSharp.torch.set_num_threads(Environment.ProcessorCount);
    }
}
